//! Slowing down who guesses passwords: by account and by address, twice as long after each failure.
//!
//! An attempt counts as failed before it is made, so that attempts made at once cannot slip through together; success
//! takes it back. Whether an account exists makes no difference, so nothing is learned from being refused.

use std::net::IpAddr;

use kit::Failure;

use super::{email::Email, sessions::SessionError};

/// Failures on one account that cost no waiting. More than honest people need, fewer than a guess needs.
const FREE_BY_ACCOUNT: i64 = 5;
/// Failures from one address that cost no waiting: a whole office may be behind it.
const FREE_BY_ADDRESS: i64 = 100;
/// Seconds to wait after the last free failure, and after each one more. The longest bounds how long a stranger can keep
/// somebody out by failing in their name.
pub const WAITS_S: [i64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900];
/// After this time without a failure the earlier ones are forgotten.
pub const FORGET_S: i64 = 60 * 60;

/// What failures are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its name in the store.
    pub name: String,
    /// Failures that cost no waiting.
    pub free: i64,
    /// Whether success wipes out all earlier failures. With an address it does not: whoever has one account could
    /// otherwise guess at others for ever.
    pub cleared_by_success: bool,
}

impl Subject {
    /// The account that somebody wants to log in to, whether or not it exists.
    pub fn account(email: &Email) -> Self {
        Self { name: format!("account:{email}"), free: FREE_BY_ACCOUNT, cleared_by_success: true }
    }

    /// The account whose password somebody logged in wants to change.
    pub fn password_of(user_id: i64) -> Self {
        Self { name: format!("password:{user_id}"), free: FREE_BY_ACCOUNT, cleared_by_success: true }
    }

    /// Where the request comes from. Of IPv6 the network counts, for it is handed out as a whole (RFC 6177).
    pub fn address(address: IpAddr) -> Self {
        let name = match address.to_canonical() {
            IpAddr::V4(address) => format!("address:{address}"),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                format!("address:{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
        };
        Self { name, free: FREE_BY_ADDRESS, cleared_by_success: false }
    }
}

/// Where failures are counted.
pub trait Throttle: Sync {
    /// Counts an attempt with every subject, unless one of them has to wait: then nothing is counted, and the answer is
    /// how many seconds are left.
    fn admit(&self, subjects: &[Subject]) -> impl Future<Output = Result<Result<(), i64>, Failure>> + Send;

    /// Takes the attempt back, for nothing came of it: it was neither right nor wrong.
    fn withdrawn(&self, subjects: &[Subject]) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes the attempt back, for it succeeded.
    fn succeeded(&self, subjects: &[Subject]) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Makes the attempt, unless one of the subjects has failed too often.
pub async fn throttled<T>(
    throttle: &impl Throttle,
    subjects: &[Subject],
    attempt: impl Future<Output = Result<T, SessionError>> + Send,
) -> Result<T, SessionError> {
    throttle.admit(subjects).await?.map_err(|wait_s| SessionError::TooManyFailures { wait_s })?;
    let outcome = attempt.await;
    match &outcome {
        Ok(_) => throttle.succeeded(subjects).await?,
        // Whatever failed may fail again here; then the attempt counts, which costs its maker a wait and no more.
        Err(SessionError::Store(_)) => throttle.withdrawn(subjects).await?,
        Err(_) => {}
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::memory::Memory;

    async fn fails(memory: &Memory, subjects: &[Subject]) -> Result<(), SessionError> {
        throttled(memory, subjects, async { Err(SessionError::WrongCredentials) }).await
    }

    #[test]
    fn each_wait_is_about_twice_the_one_before() {
        for pair in WAITS_S.windows(2) {
            assert!(pair[0] < pair[1] && pair[1] <= 2 * pair[0], "{pair:?}");
        }
    }

    #[test]
    fn addresses_of_one_network_are_one_subject() {
        let name = |text: &str| Subject::address(text.parse().unwrap()).name;
        assert_eq!(name("2001:db8:1:2::3"), name("2001:db8:1:2:ffff::1"));
        assert_ne!(name("2001:db8:1:2::3"), name("2001:db8:1:3::3"));
        assert_eq!(name("::ffff:192.0.2.1"), "address:192.0.2.1");
    }

    #[tokio::test]
    async fn after_five_failures_even_the_right_password_waits() {
        let (memory, subjects) = (Memory::default(), [Subject::account(&"ada@example.com".parse().unwrap())]);
        for _ in 0..5 {
            assert_eq!(fails(&memory, &subjects).await, Err(SessionError::WrongCredentials));
        }
        let right = throttled(&memory, &subjects, async { Ok(()) }).await;
        assert_eq!(right, Err(SessionError::TooManyFailures { wait_s: 1 }));
    }

    #[tokio::test]
    async fn an_attempt_that_could_not_be_judged_is_no_failure() {
        let memory = Memory::default();
        let subjects = [Subject::account(&"ada@example.com".parse().unwrap())];
        let _ = fails(&memory, &subjects).await;
        let away = throttled::<()>(&memory, &subjects, async { Err(Failure::temporary("away").into()) }).await;
        assert_eq!(away, Err(SessionError::Store(Failure::temporary("away"))));
        assert_eq!(memory.failures(&subjects[0]), 1);
    }

    #[tokio::test]
    async fn success_wipes_out_the_failures_of_the_account_but_not_those_of_the_address() {
        let memory = Memory::default();
        let subjects = [Subject::account(&"ada@example.com".parse().unwrap()), Subject::address([192, 0, 2, 1].into())];
        for _ in 0..3 {
            let _ = fails(&memory, &subjects).await;
        }
        assert_eq!(throttled(&memory, &subjects, async { Ok(()) }).await, Ok(()));
        assert_eq!((memory.failures(&subjects[0]), memory.failures(&subjects[1])), (0, 3));
    }
}
