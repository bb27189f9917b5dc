use super::*;
use crate::domain::ports::Complaint;
use crate::domain::ports::fake::{FakeWorld, Fault, a_refund, block_on};

fn given(world: &FakeWorld) -> Result<Outcome, Trouble> {
    block_on(give_back(world, &a_refund()))
}

fn found(world: &FakeWorld) -> Result<Outcome, Trouble> {
    let ours = world.refunds.borrow()["refund-1"].clone();
    block_on(find(world, &ours))
}

fn succeeded() -> Result<Outcome, Trouble> {
    Ok(Outcome::Succeeded("re_1".to_owned()))
}

fn no_answer() -> Refusal {
    Refusal::NoAnswer("the connection was closed".to_owned())
}

fn complaint(code: &str) -> Refusal {
    Refusal::Invalid(Complaint { code: code.to_owned(), param: None })
}

#[track_caller]
fn assert_unavailable(answer: Result<Outcome, Trouble>) {
    assert!(matches!(answer, Err(Trouble::Unavailable(_))), "{answer:?}");
}

#[test]
fn money_goes_back_once_however_often_it_is_asked_for() {
    let world = FakeWorld::default();
    for _ in 0..3 {
        assert_eq!(given(&world), succeeded());
    }
    assert_eq!(world.steps(), ["refund"]);
}

#[test]
fn a_refund_whose_answer_was_lost_is_found_even_after_stripe_has_forgotten_the_request() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::After(no_answer()));
    assert_unavailable(given(&world));
    assert_eq!(given(&world), succeeded());
    assert_eq!((world.made.borrow().len(), world.steps()), (1, vec!["refund".to_owned(), "list".to_owned()]));
}

#[test]
fn a_refund_that_never_arrived_is_sent_again_under_its_id() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::Before(no_answer()));
    assert_unavailable(given(&world));
    assert_eq!(found(&world), Err(Trouble::NotFound));
    assert_eq!(given(&world), succeeded());
    let sent: Vec<_> = world.asked.borrow().iter().filter(|asked| asked.starts_with("refund")).cloned().collect();
    assert_eq!(sent, ["refund request-0", "refund request-0"]);
}

#[test]
fn while_it_cannot_be_looked_for_it_is_not_sent_again() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::After(no_answer()));
    world.fault("list", Fault::Before(no_answer()));
    assert_unavailable(given(&world));
    assert_unavailable(given(&world));
    assert_eq!(given(&world), succeeded());
    assert_eq!(world.made.borrow().len(), 1);
}

#[test]
fn a_refund_at_which_stripe_failed_is_only_looked_for_until_it_must_have_come_to_light() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::Before(Refusal::Broken("it answered 500".to_owned())));
    for _ in 0..3 {
        assert_unavailable(given(&world));
    }
    assert_eq!(world.steps(), ["refund", "list", "list"]);
    world.refunds.borrow_mut().get_mut("refund-1").unwrap().broken = false;
    assert_eq!(given(&world), succeeded());
}

#[test]
fn a_refund_at_which_stripe_failed_may_have_been_made() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::After(Refusal::Broken("it answered 500".to_owned())));
    assert_unavailable(given(&world));
    assert_eq!(given(&world), succeeded());
}

#[test]
fn a_pending_refund_is_asked_about_by_its_id() {
    let world = FakeWorld::default();
    world.refunded.replace(Some(RefundStanding::Pending));
    assert_eq!(given(&world), Ok(Outcome::Pending));
    assert_eq!(found(&world), Ok(Outcome::Pending));
    world.made.borrow_mut()[0].standing = RefundStanding::Failed("expired_or_canceled_card".to_owned());
    assert_eq!(given(&world), Ok(Outcome::Declined("expired_or_canceled_card".to_owned())));
    assert_eq!(world.steps(), ["refund", "read-refund", "read-refund"]);
}

#[test]
fn a_refund_that_stripe_refuses_is_refused_for_good() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::Before(complaint("charge_already_refunded")));
    let declined = Ok(Outcome::Declined("charge_already_refunded".to_owned()));
    assert_eq!(given(&world), declined);
    assert_eq!(given(&world), declined);
    assert_eq!(found(&world), declined);
}

#[test]
fn an_empty_account_and_an_unknown_intent_pass() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::Before(complaint("balance_insufficient")));
    world.fault("refund", Fault::Before(Refusal::Unknown));
    assert_unavailable(given(&world));
    assert_unavailable(given(&world));
    assert_eq!(given(&world), succeeded());
    let sent: Vec<_> = world.asked.borrow().iter().filter(|asked| asked.starts_with("refund")).cloned().collect();
    assert_eq!(sent, ["refund request-0", "refund request-1", "refund request-1"]);
}

#[test]
fn a_key_is_for_one_refund() {
    let world = FakeWorld::default();
    given(&world).unwrap();
    let other = NewRefund { amount_minor: 1, ..a_refund() };
    let answer = block_on(give_back(&world, &other));
    assert_eq!(answer, Err(Trouble::Invalid("the key was used for another refund".to_owned())));
}
