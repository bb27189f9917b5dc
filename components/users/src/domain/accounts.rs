//! Registering, changing and listing accounts.

use kit::{Failure, Role, page::Cursor};
use thiserror::Error;

use super::{
    email::Email,
    password::{Hasher, Password},
    user::{Change, Name, User},
};

/// What it takes to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// How to address the person.
    pub name: Name,
    /// Where the person is reached, and the name to log in by.
    pub email: Email,
    /// The password to log in with.
    pub password: Password,
}

/// An account about to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// How to address the person.
    pub name: Name,
    /// The address.
    pub email: Email,
    /// The password's hash.
    pub password_hash: String,
    /// What the account may do.
    pub role: Role,
}

/// Why an account was not made or changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AccountError {
    /// Another account has this address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The account has another version than the one that the change was made for.
    #[error("the account has changed meanwhile")]
    Changed,
    /// Who asks has been deactivated, or is no administrator any more, whatever the access token says.
    #[error("who asks may not do this")]
    NotPermitted,
    /// Nobody would be left to manage the shop.
    #[error("this is the last active administrator")]
    LastAdministrator,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// Where accounts are kept.
pub trait Accounts: Sync {
    /// Stores a new account.
    fn insert(&self, account: &NewAccount) -> impl Future<Output = Result<User, AccountError>> + Send;

    /// The account with this id.
    fn get(&self, id: i64) -> impl Future<Output = Result<User, AccountError>> + Send;

    /// Accounts in the order in which they were made, behind `after`, `limit` of them at most.
    fn list(&self, after: Option<Cursor>, limit: i64) -> impl Future<Output = Result<Vec<User>, Failure>> + Send;

    /// Changes an account on behalf of the account `by`, if that one [may](User::may_change), an administrator is left
    /// afterwards, and the account has the version `expected`. Deactivation and a new role end its sessions.
    fn change(
        &self,
        by: i64,
        id: i64,
        change: &Change,
        expected: Option<i64>,
    ) -> impl Future<Output = Result<User, AccountError>> + Send;

    /// Whether an administrator is there, or an account of this address.
    fn has_admin_or(&self, email: &Email) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Stores the first administrator, unless one is there or the address is taken.
    fn insert_first_admin(&self, account: &NewAccount) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Makes an account for anyone who asks.
pub async fn register(
    accounts: &impl Accounts,
    hasher: &impl Hasher,
    registration: Registration,
) -> Result<User, AccountError> {
    let account = NewAccount {
        password_hash: hasher.hash(registration.password.expose()).await?,
        name: registration.name,
        email: registration.email,
        role: Role::Customer,
    };
    accounts.insert(&account).await
}

/// Makes sure that somebody can manage the shop. It comes before any registration, so that nobody can take the
/// administrator's address first.
pub async fn ensure_first_admin(
    accounts: &impl Accounts,
    hasher: &impl Hasher,
    registration: Registration,
) -> Result<(), Failure> {
    if accounts.has_admin_or(&registration.email).await? {
        return Ok(());
    }
    let account = NewAccount {
        password_hash: hasher.hash(registration.password.expose()).await?,
        name: registration.name,
        email: registration.email,
        role: Role::Admin,
    };
    accounts.insert_first_admin(&account).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::memory::{Memory, PlainHasher, registration};

    #[tokio::test]
    async fn who_registers_becomes_a_customer() {
        let memory = Memory::default();
        let user = register(&memory, &PlainHasher, registration("Ada@Example.com")).await.unwrap();
        assert_eq!((user.id, user.role, user.active), (1, Role::Customer, true));
        assert_eq!(user.email, "ada@example.com");
    }

    #[tokio::test]
    async fn one_address_is_one_account_in_any_case() {
        let memory = Memory::default();
        let first = register(&memory, &PlainHasher, registration("ada@example.com")).await;
        assert!(first.is_ok());
        let second = register(&memory, &PlainHasher, registration("ADA@example.com")).await;
        assert_eq!(second, Err(AccountError::EmailTaken));
    }

    #[tokio::test]
    async fn there_is_one_first_administrator_however_often_it_is_ensured() {
        let memory = Memory::default();
        for _ in 0..2 {
            ensure_first_admin(&memory, &PlainHasher, registration("admin@example.com")).await.unwrap();
        }
        let users = memory.list(None, 10).await.unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!(users[0].role, Role::Admin);
    }

    #[tokio::test]
    async fn an_administrator_is_ended_by_another_but_the_last_one_stays() {
        let memory = Memory::default();
        ensure_first_admin(&memory, &PlainHasher, registration("admin@example.com")).await.unwrap();
        register(&memory, &PlainHasher, registration("ada@example.com")).await.unwrap();
        let role = |role| Change { role: Some(role), ..Change::default() };
        let refused = memory.change(1, 1, &role(Role::Customer), None).await;
        assert_eq!(refused, Err(AccountError::LastAdministrator));
        assert_eq!(memory.change(2, 2, &role(Role::Admin), None).await, Err(AccountError::NotPermitted));
        memory.change(1, 2, &role(Role::Admin), None).await.unwrap();
        memory.change(2, 1, &role(Role::Customer), None).await.unwrap();
        assert_eq!(memory.change(1, 2, &role(Role::Customer), None).await, Err(AccountError::NotPermitted));
    }

    #[tokio::test]
    async fn a_customer_with_the_administrators_address_is_not_promoted() {
        let memory = Memory::default();
        let registered = register(&memory, &PlainHasher, registration("admin@example.com")).await;
        assert!(registered.is_ok());
        ensure_first_admin(&memory, &PlainHasher, registration("admin@example.com")).await.unwrap();
        assert_eq!(memory.get(1).await.unwrap().role, Role::Customer);
    }
}
