//! Logging in, staying logged in, and ending it.

use kit::Failure;
use thiserror::Error;

use super::{
    email::Email,
    password::{Hasher, Password},
    user::User,
};

/// How long a session lasts at most, however often it is refreshed.
pub const SESSION_S: i64 = 30 * 24 * 60 * 60;

/// What an account is checked against at log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The account.
    pub user_id: i64,
    /// Its password's hash.
    pub password_hash: String,
    /// False once it has been deactivated.
    pub active: bool,
}

/// A refresh token: 256 random bits for the client, of which the service keeps only the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// What the client is given.
    pub text: String,
    /// What is stored.
    pub sha256: [u8; 32],
}

/// A session as its holder gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, which every access token of it names.
    pub id: String,
    /// Whose it is.
    pub user: User,
    /// The token for the next refresh.
    pub refresh_token: String,
}

/// Why there is no session.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SessionError {
    /// Unknown address, wrong password or deactivated account: the answer does not tell which.
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The refresh token is unknown, used, or its session is over.
    #[error("the refresh token is not valid any more")]
    WrongToken,
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// There were too many failures before; the attempt was not made.
    #[error("too many failures; wait {wait_s} s")]
    TooManyFailures {
        /// Seconds until the next attempt.
        wait_s: i64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// Where sessions are kept.
pub trait Sessions: Sync {
    /// The credentials of the account with this address.
    fn by_email(&self, email: &Email) -> impl Future<Output = Result<Option<Credentials>, Failure>> + Send;

    /// The credentials of this account.
    fn by_id(&self, id: i64) -> impl Future<Output = Result<Option<Credentials>, Failure>> + Send;

    /// Opens a session with its first token, if the account is still active.
    fn open(
        &self,
        user_id: i64,
        session_id: &str,
        token: &RefreshToken,
    ) -> impl Future<Output = Result<Option<User>, Failure>> + Send;

    /// Replaces a token that was not used before by a new one of the same session; answers the session's id and user.
    fn rotate(
        &self,
        used: &[u8; 32],
        fresh: &RefreshToken,
    ) -> impl Future<Output = Result<Option<(String, User)>, Failure>> + Send;

    /// Ends the session of a token that was used before: somebody else may have it.
    fn end_if_reused(&self, used: &[u8; 32]) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Ends a session.
    fn end(&self, session_id: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Replaces a password's hash, if it still is `old_hash`; `end_sessions` ends all sessions of the account with it.
    fn replace_hash(
        &self,
        user_id: i64,
        old_hash: &str,
        new_hash: &str,
        end_sessions: bool,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;
}

/// Where secrets come from.
pub trait Secrets: Sync {
    /// A fresh refresh token.
    fn refresh_token(&self) -> Result<RefreshToken, Failure>;

    /// The stored form of a token that a client presents.
    fn hash_of(&self, refresh_token: &str) -> [u8; 32];

    /// A fresh id for a session, a UUID.
    fn session_id(&self) -> Result<String, Failure>;
}

/// Opens a session for who knows the password. An address that nobody has takes as long as one that somebody has.
pub async fn log_in(
    sessions: &impl Sessions,
    hasher: &impl Hasher,
    secrets: &impl Secrets,
    email: &str,
    password: &str,
) -> Result<Session, SessionError> {
    let found = match email.parse::<Email>() {
        Ok(email) => sessions.by_email(&email).await?,
        Err(_) => None,
    };
    let hash = found.as_ref().map(|found| found.password_hash.as_str());
    let right = hasher.verify(password, hash);
    let Some(account) = found.filter(|found| right && found.active) else {
        return Err(SessionError::WrongCredentials);
    };
    if hasher.is_outdated(&account.password_hash) {
        let stronger = hasher.hash(password)?;
        sessions.replace_hash(account.user_id, &account.password_hash, &stronger, false).await?;
    }
    let (id, token) = (secrets.session_id()?, secrets.refresh_token()?);
    let user = sessions.open(account.user_id, &id, &token).await?.ok_or(SessionError::WrongCredentials)?;
    Ok(Session { id, user, refresh_token: token.text })
}

/// Goes on with a session. Each token works once; a second use ends the session for everyone who holds it.
pub async fn refresh(sessions: &impl Sessions, secrets: &impl Secrets, token: &str) -> Result<Session, SessionError> {
    let used = secrets.hash_of(token);
    let fresh = secrets.refresh_token()?;
    match sessions.rotate(&used, &fresh).await? {
        Some((id, user)) => Ok(Session { id, user, refresh_token: fresh.text }),
        None => {
            sessions.end_if_reused(&used).await?;
            Err(SessionError::WrongToken)
        }
    }
}

/// Sets a new password for who knows the current one, and ends every session of the account.
pub async fn change_password(
    sessions: &impl Sessions,
    hasher: &impl Hasher,
    user_id: i64,
    current: &str,
    new: &Password,
) -> Result<(), SessionError> {
    let found = sessions.by_id(user_id).await?;
    let account = found.ok_or(SessionError::NotFound)?;
    if !hasher.verify(current, Some(&account.password_hash)) {
        return Err(SessionError::WrongCredentials);
    }
    let hash = hasher.hash(new.expose())?;
    let replaced = sessions.replace_hash(user_id, &account.password_hash, &hash, true).await?;
    // Another change was faster, so `current` is not current any more.
    replaced.then_some(()).ok_or(SessionError::WrongCredentials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        accounts::{Accounts, register},
        memory::{Memory, PlainHasher, PlainSecrets, registration},
        user::Change,
    };

    async fn with_ada() -> Memory {
        let memory = Memory::default();
        let registered = register(&memory, &PlainHasher, registration("ada@example.com")).await;
        assert!(registered.is_ok());
        memory
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
        let off = Change { active: Some(false), ..Change::default() };
        memory.change(1, &off, None).await.unwrap();
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
}
