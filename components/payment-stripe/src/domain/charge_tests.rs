use super::*;
use crate::domain::ports::fake::{FakeWorld, Fault, a_charge, block_on};
use crate::domain::ports::{Complaint, NewCharge};

const KEY: &str = "payment-1-1";

fn charged(world: &FakeWorld) -> Result<Outcome, Trouble> {
    block_on(charge(world, &a_charge()))
}

fn found(world: &FakeWorld) -> Result<Outcome, Trouble> {
    let charge = world.charges.borrow()[KEY].clone();
    block_on(find(world, &charge))
}

fn withdrawn(world: &FakeWorld) -> Result<Outcome, Trouble> {
    block_on(withdraw(world, KEY))
}

fn succeeded() -> Result<Outcome, Trouble> {
    Ok(Outcome::Succeeded("pi_1".to_owned()))
}

fn no_answer() -> Refusal {
    Refusal::NoAnswer("the connection was closed".to_owned())
}

fn broken() -> Refusal {
    Refusal::Broken("it answered 500".to_owned())
}

#[track_caller]
fn assert_unavailable(answer: Result<Outcome, Trouble>) {
    assert!(matches!(answer, Err(Trouble::Unavailable(_))), "{answer:?}");
}

#[test]
fn money_is_taken_once_however_often_it_is_asked_for() {
    let world = FakeWorld::default();
    for _ in 0..3 {
        assert_eq!(charged(&world), succeeded());
    }
    assert_eq!(world.steps(), ["create", "confirm"]);
    assert_eq!(found(&world), succeeded());
}

#[test]
fn a_confirmation_whose_answer_was_lost_is_found_and_not_repeated() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::After(no_answer()));
    assert_unavailable(charged(&world));
    assert_eq!(found(&world), succeeded());
    assert_eq!(charged(&world), succeeded());
    assert_eq!((world.succeeded(), world.steps()), (1, ["create", "confirm", "read"].map(str::to_owned).to_vec()));
}

#[test]
fn a_confirmation_that_never_arrived_is_sent_again_under_its_id() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(no_answer()));
    assert_unavailable(charged(&world));
    assert_eq!(found(&world), Err(Trouble::NotFound));
    assert_eq!(charged(&world), succeeded());
    assert_eq!(world.asked.borrow().iter().filter(|asked| *asked == "confirm request-0").count(), 2);
}

#[test]
fn an_intent_whose_making_was_lost_is_never_confirmed() {
    let world = FakeWorld::default();
    world.fault("create", Fault::After(no_answer()));
    assert_unavailable(charged(&world));
    assert_eq!(found(&world), Err(Trouble::NotFound));
    assert_eq!(charged(&world), Ok(Outcome::Succeeded("pi_2".to_owned())));
    assert_eq!((world.standing(0), world.succeeded()), (Standing::Unconfirmed, 1));
}

#[test]
fn a_kept_failure_is_not_asked_for_again() {
    let world = FakeWorld::default();
    world.fault("create", Fault::Before(broken()));
    world.fault("confirm", Fault::Before(broken()));
    assert_unavailable(charged(&world));
    assert_unavailable(charged(&world));
    assert_eq!(charged(&world), succeeded());
    let asked = world.asked.borrow().clone();
    assert_eq!(asked, ["create request-0", "create request-1", "confirm request-1", "read -", "confirm request-2"]);
}

#[test]
fn a_failure_after_the_money_moved_is_found_out() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::After(broken()));
    assert_unavailable(charged(&world));
    assert_eq!(charged(&world), succeeded());
    assert_eq!(world.succeeded(), 1);
}

#[test]
fn a_decline_stays_one() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(Refusal::Declined("insufficient_funds".to_owned())));
    let declined = Ok(Outcome::Declined("insufficient_funds".to_owned()));
    assert_eq!(charged(&world), declined);
    assert_eq!(charged(&world), declined);
    assert_eq!(found(&world), declined);
    assert_eq!(world.succeeded(), 0);
}

#[test]
fn a_decline_whose_answer_was_lost_is_found() {
    let world = FakeWorld::default();
    world.confirmed.replace(Some(Standing::Declined("expired_card".to_owned())));
    world.fault("confirm", Fault::After(no_answer()));
    assert_unavailable(charged(&world));
    assert_eq!(found(&world), Ok(Outcome::Declined("expired_card".to_owned())));
}

#[test]
fn nonsense_is_refused_for_good() {
    let world = FakeWorld::default();
    let complaint = Complaint { code: "resource_missing".to_owned(), param: Some("payment_method".to_owned()) };
    world.fault("confirm", Fault::Before(Refusal::Invalid(complaint)));
    let invalid = Err(Trouble::Invalid("resource_missing (payment_method)".to_owned()));
    assert_eq!(charged(&world), invalid);
    assert_eq!(charged(&world), invalid);
    assert_eq!(found(&world), invalid);
}

#[test]
fn a_key_is_for_one_charge() {
    let world = FakeWorld::default();
    charged(&world).unwrap();
    world.charges.borrow_mut().get_mut(KEY).unwrap().same_request = false;
    assert_eq!(charged(&world), Err(Trouble::Invalid("the key was used for another charge".to_owned())));
}

#[test]
fn the_customer_acts_and_the_intent_says_how_it_ended() {
    let world = FakeWorld::default();
    world.confirmed.replace(Some(Standing::ActionRequired("https://act".to_owned())));
    assert_eq!(charged(&world), Ok(Outcome::ActionRequired("https://act".to_owned())));
    assert_eq!(found(&world), Ok(Outcome::ActionRequired("https://act".to_owned())));
    world.stand(0, Standing::Pending);
    assert_eq!(found(&world), Ok(Outcome::Pending));
    world.stand(0, Standing::Succeeded);
    assert_eq!(found(&world), succeeded());
}

#[test]
fn what_somebody_cancelled_at_stripe_is_declined() {
    let world = FakeWorld::default();
    world.confirmed.replace(Some(Standing::ActionRequired("https://act".to_owned())));
    charged(&world).unwrap();
    world.stand(0, Standing::Canceled);
    assert_eq!(found(&world), Ok(Outcome::Declined("canceled".to_owned())));
}

#[test]
fn an_unknown_intent_does_not_mean_that_nothing_moved() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(no_answer()));
    assert_unavailable(charged(&world));
    world.intents.borrow_mut().clear();
    assert_unavailable(found(&world));
    assert_unavailable(charged(&world));
}

#[test]
fn a_charge_that_was_given_up_before_it_was_asked_for_is_not_made() {
    let world = FakeWorld::default();
    assert_eq!(withdrawn(&world), Err(Trouble::NotFound));
    assert_eq!(charged(&world), Ok(Outcome::Declined("withdrawn".to_owned())));
    assert_eq!(world.steps(), Vec::<String>::new());
}

#[test]
fn giving_a_charge_up_while_its_intent_is_made_keeps_it_from_being_confirmed() {
    let world = FakeWorld::default();
    world.withdraw_before_the_intent();
    assert_unavailable(charged(&world));
    assert_eq!((withdrawn(&world), world.steps()), (Err(Trouble::NotFound), vec!["create".to_owned()]));
}

#[test]
fn giving_a_charge_up_cancels_its_intent_so_that_a_late_confirmation_fails() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(no_answer()));
    assert_unavailable(charged(&world));
    let late = world.charges.borrow()[KEY].clone();
    assert_eq!(withdrawn(&world), Err(Trouble::NotFound));
    let answer = block_on(world.confirm_intent("pi_1", &a_charge().method, &late));
    assert!(matches!(answer, Err(Refusal::State(_))), "{answer:?}");
    assert_eq!((world.succeeded(), world.ending(KEY)), (0, Some(Ending::Withdrawn)));
}

#[test]
fn a_charge_that_moved_money_cannot_be_given_up() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::After(no_answer()));
    assert_unavailable(charged(&world));
    assert_eq!(withdrawn(&world), succeeded());
    assert_eq!(withdrawn(&world), succeeded());
}

#[test]
fn a_cancellation_whose_answer_was_lost_is_found_out() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(no_answer()));
    world.fault("cancel", Fault::After(no_answer()));
    assert_unavailable(charged(&world));
    assert_unavailable(withdrawn(&world));
    assert_eq!(withdrawn(&world), Err(Trouble::NotFound));
}

#[test]
fn a_charge_that_stripe_is_busy_with_is_not_given_up() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(no_answer()));
    world.fault("cancel", Fault::Before(Refusal::NoAnswer("lock_timeout".to_owned())));
    assert_unavailable(charged(&world));
    assert_unavailable(withdrawn(&world));
    assert_eq!(world.ending(KEY), None);
    world.fault("cancel", Fault::Before(Refusal::State(None)));
    world.stand(0, Standing::Pending);
    assert_eq!(withdrawn(&world), Ok(Outcome::Pending));
}

#[test]
fn money_that_moved_after_all_is_noted_whatever_was_thought() {
    let world = FakeWorld::default();
    world.fault("confirm", Fault::Before(Refusal::Declined("do_not_honor".to_owned())));
    charged(&world).unwrap();
    world.stand(0, Standing::Succeeded);
    let charge = world.charges.borrow()[KEY].clone();
    let intent = world.intents.borrow()[0].clone();
    assert_eq!(block_on(settled(&world, &charge, &intent)).unwrap(), Some(Outcome::Succeeded("pi_1".to_owned())));
    assert_eq!(world.ending(KEY), Some(Ending::Succeeded));
}

#[test]
fn two_charges_have_two_intents() {
    let world = FakeWorld::default();
    charged(&world).unwrap();
    let second = NewCharge { key: "payment-1-2".to_owned(), ..a_charge() };
    assert_eq!(block_on(charge(&world, &second)), Ok(Outcome::Succeeded("pi_2".to_owned())));
}
