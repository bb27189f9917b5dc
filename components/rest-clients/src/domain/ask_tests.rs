use std::time::Duration;

use super::ask::{PAUSES, ask};
use super::breaker::{FAILURES, FIRST_PAUSE};
use super::failure::Failure;
use super::ports::Peer;
use super::ports_fake::{Ending, FakePeer};
use super::question::{Manner, Question};

fn question(manner: Manner) -> Question {
    Question { function: "directory/get-user", arguments: b"[1]".to_vec(), manner }
}

fn answers(text: &'static str) -> Ending {
    (Duration::from_millis(1), Ok(text))
}

fn fails(failure: Failure) -> Ending {
    (Duration::from_millis(1), Err(failure))
}

fn never() -> Ending {
    (Duration::from_secs(3600), Ok(""))
}

fn silent() -> Failure {
    Failure::Silent("it broke off".to_owned())
}

fn unreached() -> Failure {
    Failure::Unreached("refused".to_owned())
}

#[tokio::test]
async fn an_answer_is_asked_for_once() {
    let peer = FakePeer::that_ends([answers("7")]);
    assert_eq!(ask(&peer, &question(Manner::REPEATABLE)).await, Ok(b"7".to_vec()));
    assert_eq!(peer.attempts(), 1);
}

#[tokio::test]
async fn a_stumble_is_made_good_by_asking_again() {
    let peer = FakePeer::that_ends([fails(silent()), fails(Failure::Failed(503)), answers("7")]);
    assert_eq!(ask(&peer, &question(Manner::REPEATABLE)).await, Ok(b"7".to_vec()));
    assert_eq!(peer.attempts(), PAUSES.len());
}

#[tokio::test]
async fn a_few_attempts_are_enough() {
    let peer = FakePeer::that_ends([]);
    assert!(matches!(ask(&peer, &question(Manner::REPEATABLE)).await, Err(Failure::Unreached(_))));
    assert_eq!(peer.attempts(), PAUSES.len());
}

#[tokio::test]
async fn what_may_have_had_its_effect_is_not_repeated_unless_it_may_be() {
    let peer = FakePeer::that_ends([fails(unreached()), fails(silent()), answers("7")]);
    assert_eq!(ask(&peer, &question(Manner::ONCE)).await, Err(silent()));
    assert_eq!(peer.attempts(), 2);
}

#[tokio::test]
async fn a_refusal_is_final_and_no_sign_of_ill_health() {
    let refusals = (0..20).map(|_| fails(Failure::Refused(404)));
    let peer = FakePeer::that_ends(refusals);
    for asked in 1..=20 {
        assert_eq!(ask(&peer, &question(Manner::REPEATABLE)).await, Err(Failure::Refused(404)));
        assert_eq!(peer.attempts(), asked);
    }
}

#[tokio::test]
async fn nobody_waits_longer_than_their_patience() {
    for manner in [Manner::REPEATABLE, Manner::PATIENT, Manner::ONCE] {
        let peer = FakePeer::that_ends((0..10).map(|_| never()));
        let begun = peer.now();
        assert!(matches!(ask(&peer, &question(manner)).await, Err(Failure::Silent(_))));
        assert!(peer.now() - begun <= manner.patience);
        assert!(peer.limits.borrow().iter().all(|limit| *limit <= manner.attempt));
    }
}

#[tokio::test]
async fn who_does_not_answer_is_left_alone_and_then_tried_again() {
    let peer = FakePeer::that_ends([]);
    let question = question(Manner::REPEATABLE);
    assert!(ask(&peer, &question).await.is_err());
    assert!(ask(&peer, &question).await.is_err());
    let failures = usize::try_from(FAILURES).unwrap();
    assert_eq!(peer.attempts(), failures, "the last attempt of the second question was not made");
    assert_eq!(ask(&peer, &question).await, Err(Failure::LeftAlone));
    assert_eq!(peer.attempts(), failures);

    peer.then_ends(answers("7"));
    peer.wait(FIRST_PAUSE);
    assert_eq!(ask(&peer, &question).await, Ok(b"7".to_vec()));
    peer.then_ends(answers("8"));
    assert_eq!(ask(&peer, &question).await, Ok(b"8".to_vec()));
}
