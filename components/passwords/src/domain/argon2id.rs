//! Passwords hashed with argon2id (RFC 9106).

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use thiserror::Error;

/// Settings of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of nothing, made with the settings above: what a password is checked against when nobody has the address.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LXNhbHQtMDAwMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed: no memory, or no random bytes for the salt.
#[derive(Debug, Error)]
#[error("argon2: {0}")]
pub struct HashError(String);

/// The password's hash as a PHC string, with a salt of its own.
///
/// # Errors
/// When the machine gives no memory or no random bytes.
pub fn hash(password: &str) -> Result<String, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| HashError(error.to_string()))?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| HashError(error.to_string()))
}

/// Whether this is the password behind the hash. A wrong one costs today's settings whatever there is to check it against:
/// without a readable hash, and after a weaker one, it is checked against nobody's.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    verify_by(matches, password, hash)
}

/// The same, by a check that tests can count.
fn verify_by(check: impl Fn(&str, &str) -> bool, password: &str, hash: Option<&str>) -> bool {
    let readable = hash.filter(|hash| PasswordHash::new(hash).is_ok());
    let is_right = readable.is_some_and(|hash| check(password, hash));
    if !is_right && readable.is_none_or(is_outdated) {
        check(password, NOBODY);
    }
    is_right
}

fn matches(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// Whether the hash was made with weaker settings than those of today.
pub fn is_outdated(hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return true;
    };
    let Ok(params) = Params::try_from(&hash) else {
        return true;
    };
    hash.algorithm.as_str() != "argon2id" || params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What a wrong password is checked against.
    fn checks(hash: Option<&str>) -> Vec<String> {
        let checks: RefCell<Vec<String>> = RefCell::default();
        let note = |_: &str, hash: &str| {
            checks.borrow_mut().push(hash.to_owned());
            false
        };
        assert!(!verify_by(note, "wrong horse", hash));
        checks.into_inner()
    }

    #[test]
    fn a_wrong_password_costs_todays_settings_whoever_it_is_tried_on() {
        let (today, weak) = (NOBODY.replace("bm9i", "bm9j"), NOBODY.replace("m=19456", "m=4096"));
        assert_eq!(checks(Some(&today)), [today.as_str()]);
        assert_eq!(checks(None), [NOBODY]);
        assert_eq!(checks(Some("no hash at all")), [NOBODY]);
        assert_eq!(checks(Some(&weak)), [weak.as_str(), NOBODY]);
    }

    #[test]
    fn a_right_password_is_checked_once() {
        let count = RefCell::new(0);
        let note = |_: &str, _: &str| {
            *count.borrow_mut() += 1;
            true
        };
        assert!(verify_by(note, "correct horse", Some(&NOBODY.replace("m=19456", "m=4096"))));
        assert_eq!(count.into_inner(), 1);
    }

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let made = hash("correct horse").unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correct horse", Some(&made)));
        assert!(!verify("wrong horse", Some(&made)));
        assert!(!is_outdated(&made));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        assert_ne!(hash("correct horse").unwrap(), hash("correct horse").unwrap());
    }

    #[test]
    fn nobodys_hash_can_be_checked_and_never_matches() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!verify("", None));
        assert!(!verify("", Some("no hash at all")));
    }

    #[test]
    fn weaker_settings_are_outdated() {
        let weak = NOBODY.replace("m=19456", "m=4096");
        assert!(is_outdated(&weak));
        assert!(is_outdated(&NOBODY.replace("t=2", "t=1")));
        assert!(is_outdated("plain"));
    }
}
