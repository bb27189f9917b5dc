//! An account.

use chrono::{DateTime, Utc};
use kit::{Role, text::Line};

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

impl User {
    /// Whether this account, as it is now, may make this change to the account with this number.
    pub fn may_change(&self, id: i64, change: &Change) -> bool {
        let is_admin = self.role == Role::Admin;
        self.active && (is_admin || (self.id == id && !change.needs_admin()))
    }
}

impl Change {
    /// Whether it changes what only an administrator may.
    pub fn needs_admin(&self) -> bool {
        self.active.is_some() || self.role.is_some()
    }

    /// Whether an administrator would be none any more, or could not act as one.
    pub fn ends_administrator(&self) -> bool {
        self.active == Some(false) || self.role == Some(Role::Customer)
    }
}

/// The name to address a person by.
pub type Name = Line<2, 50>;
