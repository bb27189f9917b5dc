//! Who asks: the access token of a request.

use std::{cell::RefCell, collections::HashMap, marker::PhantomData};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{StatusCode, header, request::Parts};

use crate::{
    Directory, Problem, Role,
    problem::Kind,
    settings,
    token::{TokenError, Verifier, now_s},
};

/// Verified tokens that an instance remembers, so that a client's next request costs no signature check.
const REMEMBERED_MAX: usize = 256;

/// What is for those alone whose account is active: an access token lives on for some minutes after that, but for reading.
pub const DEACTIVATED: Kind = Kind::plain(StatusCode::FORBIDDEN, "The account is not active any more.");

/// The holder of a valid access token. As an extractor it answers 401 where there is none;
/// `Option<Caller>` lets those without a token through, but not those with a wrong one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account's number.
    pub user_id: i64,
    /// What the account may do.
    pub role: Role,
    /// The session that the token came from.
    pub session: Option<String>,
}

impl Caller {
    /// Whether the caller manages the shop.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// Whether the caller may see what belongs to this account.
    pub fn may_see(&self, user_id: i64) -> bool {
        self.is_admin() || self.user_id == user_id
    }

    /// The caller as of this moment, whatever the token says: who manages the shop no more is a customer.
    ///
    /// # Errors
    /// [`DEACTIVATED`] where the account is not active any more; 503 where the directory cannot be asked.
    pub async fn as_of_now<D: Directory>(self) -> Result<Self, Problem> {
        match crate::local(D::role(self.user_id)).await? {
            None => Err(Problem::new(DEACTIVATED, "Your account is not active any more.")),
            // A new role is a new session's: an older token gains nothing by it.
            Some(Role::Admin) => Ok(self),
            Some(Role::Customer) => Ok(Self { role: Role::Customer, ..self }),
        }
    }
}

/// A caller who manages the shop: 401 without a token, 403 for anyone else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin(pub Caller);

/// An [`Admin`] who is one at this moment, for what changes something: a token goes on saying so for some minutes after it
/// is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActingAdmin<D>(pub Caller, PhantomData<D>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match bearer(parts)? {
            Some(token) => verified(&token).await,
            None => Err(Problem::unauthorized(
                None,
                "This needs an access token: log in at POST /api/v1/sessions and send \
                 `Authorization: Bearer <access_token>`.",
            )),
        }
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Problem> {
        match bearer(parts)? {
            Some(token) => verified(&token).await.map(Some),
            None => Ok(None),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = <Caller as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        if !caller.is_admin() {
            return Err(Problem::forbidden("Only an administrator may do this."));
        }
        Ok(Self(caller))
    }
}

impl<S: Send + Sync, D: Directory> FromRequestParts<S> for ActingAdmin<D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Admin(caller) = Admin::from_request_parts(parts, state).await?;
        let caller = caller.as_of_now::<D>().await?;
        if !caller.is_admin() {
            return Err(Problem::forbidden("Your account may not do this any more."));
        }
        Ok(Self(caller, PhantomData))
    }
}

thread_local! {
    static VERIFIER: RefCell<Option<Verifier>> = const { RefCell::new(None) };
    static REMEMBERED: RefCell<HashMap<String, (Caller, i64)>> = RefCell::default();
}

/// The token of the `Authorization` header, if there is such a header.
fn bearer(parts: &Parts) -> Result<Option<String>, Problem> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(Problem::unauthorized(
            Some("invalid_request"),
            "The Authorization header must be `Bearer <access_token>`.",
        ));
    }
    Ok(Some(token.trim().to_owned()))
}

async fn verified(token: &str) -> Result<Caller, Problem> {
    let now_s = now_s();
    let known = REMEMBERED.with_borrow(|known| known.get(token).cloned());
    let outcome = match known {
        Some((caller, expires_s)) if now_s < expires_s => return Ok(caller),
        Some(_) => Err(TokenError::Expired),
        None => verifier().await?.verify(token, now_s),
    };
    let (caller, expires_s) =
        outcome.map_err(|error| Problem::unauthorized(Some("invalid_token"), error.to_string()))?;
    remember(token, &caller, expires_s);
    Ok(caller)
}

async fn verifier() -> Result<Verifier, Problem> {
    if let Some(verifier) = VERIFIER.with_borrow(Clone::clone) {
        return Ok(verifier);
    }
    let key = settings::get("token_key_public").await?;
    let verifier = Verifier::from_base64(&key).map_err(|error| {
        eprintln!("error: variable token_key_public {error}");
        Problem::internal()
    })?;
    VERIFIER.set(Some(verifier.clone()));
    Ok(verifier)
}

fn remember(token: &str, caller: &Caller, expires_s: i64) {
    REMEMBERED.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(token.to_owned(), (caller.clone(), expires_s));
    });
}

impl From<settings::SettingError> for Problem {
    /// A missing variable is the operator's fault: it goes to the log, not to the client.
    fn from(error: settings::SettingError) -> Self {
        eprintln!("error: {error}");
        Problem::internal()
    }
}
