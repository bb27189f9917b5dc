//! Which passwords are taken, and what hashing them must offer.

use std::{fmt, str::FromStr};

use kit::Failure;
use thiserror::Error;

/// Passwords that are tried first by anyone who tries; one a line, in lower case, the most frequent first. Those of eight
/// characters and more among the 20,000 that Royce Williams counted in leaked collections, and a few that suggest themselves in a shop.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password that may be set: 8 to 128 characters, and not one that everybody uses (NIST SP 800-63B, 5.1.1.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// Why a password cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PasswordError {
    /// Too short or too long.
    #[error("must have 8 to 128 characters")]
    Length,
    /// On the list of common passwords.
    #[error("is one of the passwords that are guessed first; choose another")]
    Common,
}

impl Password {
    /// The password itself: for hashing, nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl FromStr for Password {
    type Err = PasswordError;

    fn from_str(text: &str) -> Result<Self, PasswordError> {
        if !(8..=128).contains(&text.chars().count()) {
            return Err(PasswordError::Length);
        }
        let lower = text.to_lowercase();
        if COMMON.lines().any(|common| common == lower) {
            return Err(PasswordError::Common);
        }
        Ok(Self(text.to_owned()))
    }
}

/// What came of checking a password against a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is the password behind the hash.
    pub right: bool,
    /// Whether the hash was made with weaker settings than those of today.
    pub outdated: bool,
}

/// Turns passwords into hashes that are slow to guess, and checks against them.
pub trait Hasher: Sync {
    /// The password's hash as a PHC string, with a salt of its own.
    fn hash(&self, password: &str) -> impl Future<Output = Result<String, Failure>> + Send;

    /// Checks a password. Without a hash the answer is that it is wrong, after the same time.
    fn verify(&self, password: &str, hash: Option<&str>) -> impl Future<Output = Result<Verdict, Failure>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_are_refused_in_any_case() {
        assert_eq!("PassWord1".parse::<Password>(), Err(PasswordError::Common));
        assert_eq!("12345678".parse::<Password>(), Err(PasswordError::Common));
        assert!("correct horse battery".parse::<Password>().is_ok());
    }

    #[test]
    fn the_length_is_bounded_on_both_sides() {
        assert_eq!("sh0rt!!".parse::<Password>(), Err(PasswordError::Length));
        assert!("ü".repeat(128).parse::<Password>().is_ok());
        assert_eq!("x".repeat(129).parse::<Password>(), Err(PasswordError::Length));
    }

    #[test]
    fn a_password_does_not_show_in_debug_output() {
        let password: Password = "correct horse".parse().unwrap();
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn the_list_holds_only_what_the_length_lets_through() {
        for common in COMMON.lines() {
            assert!(common.len() >= 8, "{common}");
            assert_eq!(common, common.to_lowercase());
        }
    }
}
