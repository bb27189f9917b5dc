use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::{
    accounts::{Accounts, ensure_first_admin, register},
    memory::{Memory, PlainHasher, PlainSecrets, registration},
    password::Verdict,
    user::Change,
};

async fn with_ada() -> Memory {
    let memory = Memory::default();
    let registered = register(&memory, &PlainHasher, registration("ada@example.com")).await;
    assert!(registered.is_ok());
    memory
}

async fn deactivate_ada(memory: &Memory) {
    ensure_first_admin(memory, &PlainHasher, registration("admin@example.com")).await.unwrap();
    let off = Change { active: Some(false), ..Change::default() };
    memory.change(2, 1, &off, None).await.unwrap();
}

async fn log_in_as(memory: &Memory, email: &str, password: &str) -> Result<Session, SessionError> {
    log_in(memory, &PlainHasher, &PlainSecrets::default(), email, password).await
}

#[tokio::test]
async fn the_right_password_opens_a_session_in_any_case_of_the_address() {
    let memory = with_ada().await;
    let session = log_in_as(&memory, "ADA@example.com", "correct horse").await.unwrap();
    assert_eq!(session.user.id, 1);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_get_the_same_answer() {
    let memory = with_ada().await;
    for (email, password) in
        [("ada@example.com", "wrong horse"), ("eve@example.com", "correct horse"), ("no address", "correct horse")]
    {
        let refused = log_in_as(&memory, email, password).await;
        assert_eq!(refused, Err(SessionError::WrongCredentials));
    }
}

#[tokio::test]
async fn a_deactivated_account_cannot_log_in_or_refresh() {
    let memory = with_ada().await;
    let session = log_in_as(&memory, "ada@example.com", "correct horse").await.unwrap();
    deactivate_ada(&memory).await;
    let again = log_in_as(&memory, "ada@example.com", "correct horse").await;
    assert_eq!(again, Err(SessionError::WrongCredentials));
    let secrets = PlainSecrets::default();
    let refreshed = refresh(&memory, &secrets, &session.refresh_token).await;
    assert_eq!(refreshed, Err(SessionError::WrongToken));
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_its_session() {
    let memory = with_ada().await;
    let secrets = PlainSecrets::default();
    let first = log_in(&memory, &PlainHasher, &secrets, "ada@example.com", "correct horse").await.unwrap();
    let second = refresh(&memory, &secrets, &first.refresh_token).await.unwrap();
    assert_eq!(second.id, first.id);
    let stolen = refresh(&memory, &secrets, &first.refresh_token).await;
    assert_eq!(stolen, Err(SessionError::WrongToken));
    let third = refresh(&memory, &secrets, &second.refresh_token).await;
    assert_eq!(third, Err(SessionError::WrongToken));
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_ends_every_session() {
    let memory = with_ada().await;
    let secrets = PlainSecrets::default();
    let session = log_in(&memory, &PlainHasher, &secrets, "ada@example.com", "correct horse").await.unwrap();
    let new: Password = "another horse".parse().unwrap();
    let wrong = change_password(&memory, &PlainHasher, 1, "wrong horse", &new).await;
    assert_eq!(wrong, Err(SessionError::WrongCredentials));
    let right = change_password(&memory, &PlainHasher, 1, "correct horse", &new).await;
    assert_eq!(right, Ok(()));
    let refreshed = refresh(&memory, &secrets, &session.refresh_token).await;
    assert_eq!(refreshed, Err(SessionError::WrongToken));
    assert!(log_in_as(&memory, "ada@example.com", "another horse").await.is_ok());
}

/// Counts what costs time.
#[derive(Default)]
struct CountingHasher(AtomicUsize);

impl CountingHasher {
    fn is_asked(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Hasher for CountingHasher {
    async fn hash(&self, password: &str) -> Result<String, Failure> {
        self.is_asked();
        PlainHasher.hash(password).await
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, Failure> {
        self.is_asked();
        PlainHasher.verify(password, hash).await
    }
}

#[tokio::test]
async fn whoever_cannot_log_in_costs_one_look_at_a_password() {
    let memory = with_ada().await;
    register(&memory, &PlainHasher, registration("off@example.com")).await.unwrap();
    ensure_first_admin(&memory, &PlainHasher, registration("admin@example.com")).await.unwrap();
    memory.change(3, 2, &Change { active: Some(false), ..Change::default() }, None).await.unwrap();
    for (email, password) in [
        ("ada@example.com", "wrong horse"),
        ("eve@example.com", "correct horse"),
        ("no address", "correct horse"),
        ("off@example.com", "correct horse"),
    ] {
        let hasher = CountingHasher::default();
        let refused = log_in(&memory, &hasher, &PlainSecrets::default(), email, password).await;
        assert_eq!(refused, Err(SessionError::WrongCredentials));
        assert_eq!(hasher.0.into_inner(), 1, "{email}");
    }
}

/// What happens to Ada's account while her password is looked at.
#[derive(Clone, Copy)]
enum Meanwhile {
    NewPassword,
    OffAndOnAgain,
}

struct SlowHasher<'a>(&'a Memory, Meanwhile);

impl Hasher for SlowHasher<'_> {
    async fn hash(&self, password: &str) -> Result<String, Failure> {
        PlainHasher.hash(password).await
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, Failure> {
        let Self(memory, meanwhile) = *self;
        match meanwhile {
            Meanwhile::NewPassword => {
                let replaced = memory.replace_hash(1, "plain:correct horse", "plain:another horse", true).await;
                assert_eq!(replaced, Ok(true));
            }
            Meanwhile::OffAndOnAgain => {
                deactivate_ada(memory).await;
                let on = Change { active: Some(true), ..Change::default() };
                memory.change(2, 1, &on, None).await.unwrap();
            }
        }
        PlainHasher.verify(password, hash).await
    }
}

#[tokio::test]
async fn a_log_in_under_way_does_not_outlive_what_ends_every_session() {
    for meanwhile in [Meanwhile::NewPassword, Meanwhile::OffAndOnAgain] {
        let memory = with_ada().await;
        let hasher = SlowHasher(&memory, meanwhile);
        let late = log_in(&memory, &hasher, &PlainSecrets::default(), "ada@example.com", "correct horse").await;
        assert_eq!(late, Err(SessionError::WrongCredentials));
    }
}

#[tokio::test]
async fn a_deactivated_account_keeps_its_password() {
    let memory = with_ada().await;
    deactivate_ada(&memory).await;
    let new: Password = "another horse".parse().unwrap();
    let changed = change_password(&memory, &PlainHasher, 1, "correct horse", &new).await;
    assert_eq!(changed, Err(SessionError::NotActive));
}
