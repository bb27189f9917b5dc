//! The ports in memory, for the tests of the rules.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use kit::{Failure, Role, page::Cursor};

use super::{
    accounts::{AccountError, Accounts, NewAccount, Registration},
    email::Email,
    password::{Hasher, Verdict},
    sessions::{Credentials, RefreshToken, Secrets, Sessions},
    throttle::{Subject, Throttle, WAITS_S},
    user::{Change, User},
};

/// A registration that is sound but for what the test says.
pub fn registration(email: &str) -> Registration {
    Registration {
        name: "Ada Lovelace".parse().unwrap(),
        email: email.parse().unwrap(),
        password: "correct horse".parse().unwrap(),
    }
}

/// Accounts and sessions in lists.
#[derive(Default)]
pub struct Memory(Mutex<Tables>);

#[derive(Default)]
struct Tables {
    users: Vec<(User, String)>,
    /// How often all sessions of an account were ended.
    generations: BTreeMap<i64, i64>,
    /// Session id, account, whether it is open.
    sessions: Vec<(String, i64, bool)>,
    /// Hash, session id, whether it was used.
    tokens: Vec<([u8; 32], String, bool)>,
    /// Failures by subject; time stands still, so who has to wait waits for ever.
    failures: BTreeMap<String, i64>,
}

impl Memory {
    /// How often this subject failed.
    pub fn failures(&self, subject: &Subject) -> i64 {
        self.tables().failures.get(&subject.name).copied().unwrap_or_default()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap()
    }
}

impl Tables {
    fn end_sessions_of(&mut self, user_id: i64) {
        let mine = self.sessions.iter_mut().filter(|(_, owner, _)| *owner == user_id);
        mine.for_each(|session| session.2 = false);
        *self.generations.entry(user_id).or_default() += 1;
    }

    fn generation(&self, user_id: i64) -> i64 {
        self.generations.get(&user_id).copied().unwrap_or_default()
    }

    fn credentials(&self, (user, hash): &(User, String)) -> Credentials {
        let (user_id, active) = (user.id, user.active);
        Credentials { user_id, password_hash: hash.clone(), active, generation: self.generation(user_id) }
    }

    fn insert(&mut self, account: &NewAccount) -> Result<User, AccountError> {
        if self.users.iter().any(|(user, _)| user.email == account.email.as_str()) {
            return Err(AccountError::EmailTaken);
        }
        let user = User {
            id: self.users.len() as i64 + 1,
            name: account.name.as_str().to_owned(),
            email: account.email.as_str().to_owned(),
            active: true,
            role: account.role,
            version: 1,
            created_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
        };
        self.users.push((user.clone(), account.password_hash.clone()));
        Ok(user)
    }
}

impl Accounts for Memory {
    async fn insert(&self, account: &NewAccount) -> Result<User, AccountError> {
        self.tables().insert(account)
    }

    async fn get(&self, id: i64) -> Result<User, AccountError> {
        let tables = self.tables();
        let found = tables.users.iter().find(|(user, _)| user.id == id);
        found.map(|(user, _)| user.clone()).ok_or(AccountError::NotFound)
    }

    async fn list(&self, after: Option<Cursor>, limit: i64) -> Result<Vec<User>, Failure> {
        let tables = self.tables();
        let behind = tables.users.iter().filter(|(user, _)| after.is_none_or(|c| user.id > c.id));
        Ok(behind.take(limit as usize).map(|(user, _)| user.clone()).collect())
    }

    async fn change(&self, by: i64, id: i64, change: &Change, expected: Option<i64>) -> Result<User, AccountError> {
        let mut tables = self.tables();
        let mut others = tables.users.iter().map(|(user, _)| user).filter(|user| user.id != id);
        let is_last = !others.any(|user| user.role == Role::Admin && user.active);
        let permitted = tables.users.iter().any(|(user, _)| user.id == by && user.may_change(id, change));
        let found = tables.users.iter_mut().find(|(user, _)| user.id == id);
        let (user, _) = found.ok_or(AccountError::NotFound)?;
        if expected.is_some_and(|expected| expected != user.version) {
            return Err(AccountError::Changed);
        }
        if !permitted {
            return Err(AccountError::NotPermitted);
        }
        if is_last && user.role == Role::Admin && user.active && change.ends_administrator() {
            return Err(AccountError::LastAdministrator);
        }
        user.version += 1;
        user.active = change.active.unwrap_or(user.active);
        user.role = change.role.unwrap_or(user.role);
        let user = user.clone();
        if !user.active || change.role.is_some() {
            tables.end_sessions_of(id);
        }
        Ok(user)
    }

    async fn has_admin_or(&self, email: &Email) -> Result<bool, Failure> {
        let tables = self.tables();
        let mut users = tables.users.iter().map(|(user, _)| user);
        Ok(users.any(|user| user.role == Role::Admin || user.email == email.as_str()))
    }

    async fn insert_first_admin(&self, account: &NewAccount) -> Result<(), Failure> {
        let _ = self.tables().insert(account);
        Ok(())
    }
}

impl Sessions for Memory {
    async fn by_email(&self, email: &Email) -> Result<Option<Credentials>, Failure> {
        let tables = self.tables();
        let found = tables.users.iter().find(|(user, _)| user.email == email.as_str());
        Ok(found.map(|found| tables.credentials(found)))
    }

    async fn by_id(&self, id: i64) -> Result<Option<Credentials>, Failure> {
        let tables = self.tables();
        let found = tables.users.iter().find(|(user, _)| user.id == id);
        Ok(found.map(|found| tables.credentials(found)))
    }

    async fn open(
        &self,
        account: &Credentials,
        session_id: &str,
        token: &RefreshToken,
    ) -> Result<Option<User>, Failure> {
        let mut tables = self.tables();
        let user_id = account.user_id;
        let found = tables.users.iter().find(|(user, _)| user.id == user_id && user.active);
        let Some(user) = found.map(|(user, _)| user.clone()) else {
            return Ok(None);
        };
        if tables.generation(user_id) != account.generation {
            return Ok(None);
        }
        tables.sessions.push((session_id.to_owned(), user_id, true));
        tables.tokens.push((token.sha256, session_id.to_owned(), false));
        Ok(Some(user))
    }

    async fn rotate(&self, used: &[u8; 32], fresh: &RefreshToken) -> Result<Option<(String, User)>, Failure> {
        let mut tables = self.tables();
        let presented = tables.tokens.iter_mut().find(|(hash, _, used_before)| hash == used && !used_before);
        let Some((_, session_id, used)) = presented else {
            return Ok(None);
        };
        *used = true;
        let session_id = session_id.clone();
        let owner = tables.sessions.iter().find(|(id, _, open)| *id == session_id && *open).map(|s| s.1);
        let found = tables.users.iter().find(|(user, _)| Some(user.id) == owner && user.active);
        let Some(user) = found.map(|(user, _)| user.clone()) else {
            return Ok(None);
        };
        tables.tokens.push((fresh.sha256, session_id.clone(), false));
        Ok(Some((session_id, user)))
    }

    async fn end_if_reused(&self, used: &[u8; 32]) -> Result<(), Failure> {
        let session = self.tables().tokens.iter().find(|t| t.0 == *used && t.2).map(|t| t.1.clone());
        match session {
            Some(id) => self.end(&id).await,
            None => Ok(()),
        }
    }

    async fn end(&self, session_id: &str) -> Result<(), Failure> {
        let mut tables = self.tables();
        let mine = tables.sessions.iter_mut().filter(|(id, ..)| id == session_id);
        mine.for_each(|session| session.2 = false);
        Ok(())
    }

    async fn replace_hash(
        &self,
        user_id: i64,
        old_hash: &str,
        new_hash: &str,
        end_sessions: bool,
    ) -> Result<bool, Failure> {
        let mut tables = self.tables();
        let found = tables.users.iter_mut().find(|(user, hash)| user.id == user_id && hash == old_hash);
        let Some((_, hash)) = found else {
            return Ok(false);
        };
        *hash = new_hash.to_owned();
        if end_sessions {
            tables.end_sessions_of(user_id);
        }
        Ok(true)
    }
}

impl Throttle for Memory {
    async fn admit(&self, subjects: &[Subject]) -> Result<Result<(), i64>, Failure> {
        let beyond = subjects.iter().map(|subject| self.failures(subject) - subject.free).max().unwrap_or(-1);
        if let Ok(beyond) = usize::try_from(beyond) {
            return Ok(Err(WAITS_S[beyond.min(WAITS_S.len() - 1)]));
        }
        let mut tables = self.tables();
        subjects.iter().for_each(|subject| *tables.failures.entry(subject.name.clone()).or_default() += 1);
        Ok(Ok(()))
    }

    async fn withdrawn(&self, subjects: &[Subject]) -> Result<(), Failure> {
        let mut tables = self.tables();
        subjects.iter().for_each(|subject| *tables.failures.entry(subject.name.clone()).or_default() -= 1);
        Ok(())
    }

    async fn succeeded(&self, subjects: &[Subject]) -> Result<(), Failure> {
        let mut tables = self.tables();
        for subject in subjects {
            let failures = tables.failures.entry(subject.name.clone()).or_default();
            *failures = if subject.cleared_by_success { 0 } else { *failures - 1 };
        }
        Ok(())
    }
}

/// A hasher that costs nothing. What it hashed as `old:…` is outdated.
pub struct PlainHasher;

impl Hasher for PlainHasher {
    async fn hash(&self, password: &str) -> Result<String, Failure> {
        Ok(format!("plain:{password}"))
    }

    async fn verify(&self, password: &str, hash: Option<&str>) -> Result<Verdict, Failure> {
        let known = |mark: &str| hash.is_some_and(|hash| hash == format!("{mark}:{password}"));
        Ok(Verdict { right: known("plain") || known("old"), outdated: known("old") })
    }
}

/// Secrets that count instead of being random.
#[derive(Default)]
pub struct PlainSecrets(AtomicU64);

impl Secrets for PlainSecrets {
    fn refresh_token(&self) -> Result<RefreshToken, Failure> {
        let text = format!("token-{}", self.0.fetch_add(1, Ordering::Relaxed));
        Ok(RefreshToken { sha256: self.hash_of(&text), text })
    }

    fn hash_of(&self, refresh_token: &str) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.iter_mut().zip(refresh_token.bytes()).for_each(|(to, from)| *to = from);
        hash
    }

    fn session_id(&self) -> Result<String, Failure> {
        Ok(format!("session-{}", self.0.fetch_add(1, Ordering::Relaxed)))
    }
}
