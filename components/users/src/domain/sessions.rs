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
    /// Which sessions go on: those that were opened for this number. A new password, deactivation and a new role raise it.
    pub generation: i64,
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
    /// The account has been deactivated since the access token was made.
    #[error("the account is not active")]
    NotActive,
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

    /// Opens a session with its first token, if the account is still active and of the generation that the credentials
    /// were checked in: a password may have been replaced while it was verified.
    fn open(
        &self,
        account: &Credentials,
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
    let verdict = hasher.verify(password, hash).await?;
    let Some(account) = found.filter(|found| verdict.right && found.active) else {
        return Err(SessionError::WrongCredentials);
    };
    if verdict.outdated {
        let stronger = hasher.hash(password).await?;
        sessions.replace_hash(account.user_id, &account.password_hash, &stronger, false).await?;
    }
    let (id, token) = (secrets.session_id()?, secrets.refresh_token()?);
    let user = sessions.open(&account, &id, &token).await?.ok_or(SessionError::WrongCredentials)?;
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
    if !account.active {
        return Err(SessionError::NotActive);
    }
    if !hasher.verify(current, Some(&account.password_hash)).await?.right {
        return Err(SessionError::WrongCredentials);
    }
    let hash = hasher.hash(new.expose()).await?;
    let replaced = sessions.replace_hash(user_id, &account.password_hash, &hash, true).await?;
    // Another change was faster, so `current` is not current any more.
    replaced.then_some(()).ok_or(SessionError::WrongCredentials)
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
