use super::*;
use crate::domain::charge::charge;
use crate::domain::give_back::give_back;
use crate::domain::intent::Standing;
use crate::domain::ports::fake::{FakeWorld, Fault, a_charge, a_refund, block_on};
use crate::domain::ports::{Ending, Refusal};
use crate::domain::refund::RefundStanding;

fn event(kind: &str, object: &str) -> Event {
    let body = format!(
        r#"{{"id": "evt_1", "object": "event", "api_version": "2025-09-30.clover", "type": "{kind}", "livemode": false,
            "data": {{"object": {object}}}}}"#
    );
    Event::read(body.as_bytes()).unwrap()
}

fn taken(world: &FakeWorld, kind: &str, object: &str) -> Result<Outcome, Trouble> {
    let notice = block_on(take(world, &event(kind, object)))?;
    assert_eq!(notice.id, "evt_1");
    Ok(notice.outcome)
}

fn acting() -> FakeWorld {
    let world = FakeWorld::default();
    world.confirmed.replace(Some(Standing::ActionRequired("https://act".to_owned())));
    block_on(charge(&world, &a_charge())).unwrap();
    world
}

const SUCCEEDED: &str = r#"{"id": "pi_1", "object": "payment_intent", "status": "succeeded"}"#;

#[test]
fn an_event_of_an_intent_tells_how_its_charge_ended() {
    let world = acting();
    let outcome = Ok(Outcome::Succeeded("pi_1".to_owned()));
    assert_eq!(taken(&world, "payment_intent.succeeded", SUCCEEDED), outcome);
    assert_eq!(world.ending("payment-1-1"), Some(Ending::Succeeded));
    let failed = r#"{"id": "pi_1", "status": "requires_payment_method",
        "last_payment_error": {"code": "payment_intent_authentication_failure", "type": "invalid_request_error"}}"#;
    let outcome = Ok(Outcome::Declined("payment_intent_authentication_failure".to_owned()));
    assert_eq!(taken(&acting(), "payment_intent.payment_failed", failed), outcome);
    let canceled = r#"{"id": "pi_1", "status": "canceled"}"#;
    let outcome = Ok(Outcome::Declined("canceled".to_owned()));
    assert_eq!(taken(&acting(), "payment_intent.canceled", canceled), outcome);
}

#[test]
fn what_is_not_ours_is_not_found() {
    let world = acting();
    let foreign = r#"{"id": "pi_99", "status": "succeeded", "metadata": {"shop_key": "payment-1-1"}}"#;
    assert_eq!(taken(&world, "payment_intent.succeeded", foreign), Err(Trouble::NotFound));
    assert_eq!(taken(&world, "charge.refunded", r#"{"id": "ch_1", "payment_intent": "pi_1"}"#), Err(Trouble::NotFound));
    let created = r#"{"id": "pi_1", "status": "requires_confirmation"}"#;
    assert_eq!(taken(&world, "payment_intent.created", created), Err(Trouble::NotFound));
    assert_eq!(world.ending("payment-1-1"), None);
}

#[test]
fn an_event_of_a_refund_tells_how_it_ended() {
    let world = FakeWorld::default();
    world.refunded.replace(Some(RefundStanding::Pending));
    block_on(give_back(&world, &a_refund())).unwrap();
    let succeeded = r#"{"id": "re_1", "object": "refund", "status": "succeeded", "payment_intent": "pi_1"}"#;
    for kind in ["refund.updated", "charge.refund.updated"] {
        assert_eq!(taken(&world, kind, succeeded), Ok(Outcome::Succeeded("re_1".to_owned())));
    }
    let failed = r#"{"id": "re_1", "status": "failed", "failure_reason": "unknown"}"#;
    assert_eq!(taken(&world, "refund.failed", failed), Ok(Outcome::Declined("unknown".to_owned())));
}

#[test]
fn an_event_tells_of_a_refund_whose_answer_was_lost() {
    let world = FakeWorld::default();
    world.fault("refund", Fault::After(Refusal::NoAnswer("closed".to_owned())));
    block_on(give_back(&world, &a_refund())).unwrap_err();
    let created =
        r#"{"id": "re_1", "status": "succeeded", "payment_intent": "pi_1", "metadata": {"shop_key": "refund-1"}}"#;
    assert_eq!(taken(&world, "refund.created", created), Ok(Outcome::Succeeded("re_1".to_owned())));
    assert_eq!(block_on(give_back(&world, &a_refund())), Ok(Outcome::Succeeded("re_1".to_owned())));
}

#[test]
fn nonsense_is_no_event() {
    for body in ["", "{}", r#"{"id": "evt_1"}"#, r#"{"id": "evt_1", "type": "payment_intent.succeeded"}"#] {
        assert_eq!(Event::read(body.as_bytes()), Err(Unreadable), "{body}");
    }
    let strange = br#"{"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"id": 7}}}"#;
    assert_eq!(Event::read(strange), Err(Unreadable));
    let other = Event::read(br#"{"id": "evt_1", "type": "v2.core.account.updated", "object": "v2.core.event"}"#);
    assert_eq!(other.unwrap().subject, Subject::Other);
}
