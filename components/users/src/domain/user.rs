//! An account.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kit::Role;
use thiserror::Error;

use super::email::Email;

/// An account as the service keeps it, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its number, from 1.
    pub id: i64,
    /// How to address the person.
    pub name: String,
    /// The normalised address.
    pub email: String,
    /// False once an administrator has deactivated it.
    pub active: bool,
    /// What it may do.
    pub role: Role,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A change to an account; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Another name.
    pub name: Option<Name>,
    /// Another address.
    pub email: Option<Email>,
    /// Deactivates or reactivates it.
    pub active: Option<bool>,
    /// Another role.
    pub role: Option<Role>,
}

impl Change {
    /// Whether it changes what only an administrator may.
    pub fn needs_admin(&self) -> bool {
        self.active.is_some() || self.role.is_some()
    }
}

/// The name to address a person by: 2 to 50 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// The text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have 2 to 50 printable characters")]
pub struct NameError;

impl Name {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        let sound = (2..=50).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        sound.then(|| Self(text.to_owned())).ok_or(NameError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_in_characters() {
        assert_eq!("  Zoë ".parse::<Name>().unwrap().as_str(), "Zoë");
        assert!("名前".parse::<Name>().is_ok());
        assert!("é".repeat(50).parse::<Name>().is_ok());
        for wrong in ["", "a", " a ", "a\nb"] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong:?}");
        }
        assert!("é".repeat(51).parse::<Name>().is_err());
    }
}
