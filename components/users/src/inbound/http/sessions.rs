//! `/api/v1/sessions`, and the password that opens them.

use axum::{Json, response::IntoResponse};
use http::StatusCode;
use kit::{
    Caller, Faults, Id, Input, Problem, Valid,
    openapi::Problems,
    settings,
    token::{ACCESS_TOKEN_S, Issuer, now_s},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client_address::ClientAddress;
use crate::{
    domain::{
        accounts::AccountError,
        password::Password,
        sessions::{self, Session, SessionError, Sessions},
        throttle::{Subject, throttled},
    },
    inbound::first_admin,
    outbound::{argon2::Argon2id, secrets::Random, sql::Sql},
};

/// Longest text that is looked at as a password at all.
const PASSWORD_MAX_BYTES: usize = 1024;

/// A session, just opened or refreshed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Works once, at `/api/v1/sessions/refresh`.
    refresh_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    expires_in: i64,
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogIn {
    #[schema(required, value_type = String, format = "email", example = "ada@example.com")]
    email: Option<String>,
    #[schema(required, value_type = String, format = "password")]
    password: Option<String>,
}

/// The token of an earlier answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    #[schema(required, value_type = String)]
    refresh_token: Option<String>,
}

/// The password of now, and the one to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    #[schema(required, value_type = String, format = "password")]
    current: Option<String>,
    #[schema(required, value_type = String, min_length = 8, max_length = 128, format = "password")]
    new: Option<String>,
}

impl Input for LogIn {
    type Checked = (String, String);

    fn check(self, faults: &mut Faults) -> Option<Self::Checked> {
        let email = faults.required("email", self.email);
        let password = faults.parse("password", self.password, bounded);
        Some((email?, password?))
    }
}

impl Input for Refresh {
    type Checked = String;

    fn check(self, faults: &mut Faults) -> Option<String> {
        faults.required("refresh_token", self.refresh_token)
    }
}

impl Input for PasswordChange {
    type Checked = (String, Password);

    fn check(self, faults: &mut Faults) -> Option<Self::Checked> {
        let current = faults.parse("current", self.current, bounded);
        let new = faults.parse("new", self.new, |text| text.parse());
        Some((current?, new?))
    }
}

/// Log in
///
/// The answer for an unknown address and for a wrong password is the same. After five failures on an account, or a
/// hundred from an address, each further one makes the next attempt wait twice as long, with 429 and `Retry-After`.
#[utoipa::path(
    post, path = "/api/v1/sessions", operation_id = "logIn", tag = "sessions", request_body = LogIn,
    responses((status = 201, body = SessionBody), Problems)
)]
pub async fn log_in(
    ClientAddress(address): ClientAddress,
    Valid((email, password)): Valid<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    first_admin::ensure().await?;
    let account = email.parse().ok().map(|email| Subject::account(&email));
    let subjects: Vec<Subject> = account.into_iter().chain(address.map(Subject::address)).collect();
    let attempt = sessions::log_in(&Sql, &Argon2id, &Random, &email, &password);
    answer(throttled(&Sql, &subjects, attempt).await?).await
}

/// Stay logged in
///
/// Each refresh token works once; using one twice ends the session.
#[utoipa::path(
    post, path = "/api/v1/sessions/refresh", operation_id = "refreshSession", tag = "sessions", request_body = Refresh,
    responses((status = 201, body = SessionBody), Problems)
)]
pub async fn refresh(Valid(token): Valid<Refresh>) -> Result<impl IntoResponse, Problem> {
    answer(sessions::refresh(&Sql, &Random, &token).await?).await
}

/// Log out
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", operation_id = "logOut", tag = "sessions", security(("bearer" = [])),
    responses((status = 204), Problems)
)]
pub async fn log_out(caller: Caller) -> Result<StatusCode, Problem> {
    if let Some(session) = &caller.session {
        Sql.end(session).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Set another password
///
/// Ends every session of the account.
#[utoipa::path(
    put, path = "/api/v1/users/{id}/password", operation_id = "changePassword", tag = "users", security(("bearer" = [])),
    params(("id" = i64, Path)), request_body = PasswordChange,
    responses((status = 204), Problems)
)]
pub async fn change_password(
    caller: Caller,
    Id(id): Id,
    Valid((current, new)): Valid<PasswordChange>,
) -> Result<StatusCode, Problem> {
    if caller.user_id != id {
        return Err(match caller.is_admin() {
            true => Problem::forbidden("Only the owner may change the password."),
            false => AccountError::NotFound.into(),
        });
    }
    let attempt = sessions::change_password(&Sql, &Argon2id, id, &current, &new);
    match throttled(&Sql, &[Subject::password_of(id)], attempt).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(SessionError::WrongCredentials) => {
            let mut faults = Faults::new();
            faults.add("current", "is not the current password");
            Err(Problem::invalid(faults))
        }
        Err(error) => Err(error.into()),
    }
}

async fn answer(session: Session) -> Result<impl IntoResponse, Problem> {
    let key = settings::get("token_key").await?;
    let issuer = Issuer::from_base64(&key).map_err(|error| {
        eprintln!("error: variable token_key {error}");
        Problem::internal()
    })?;
    let caller = Caller { user_id: session.user.id, role: session.user.role, session: Some(session.id) };
    let body = SessionBody {
        access_token: issuer.issue(&caller, now_s()),
        refresh_token: session.refresh_token,
        token_type: "Bearer",
        expires_in: ACCESS_TOKEN_S,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

fn bounded(text: String) -> Result<String, &'static str> {
    match text.len() <= PASSWORD_MAX_BYTES {
        true => Ok(text),
        false => Err("is too long"),
    }
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::WrongCredentials => {
                Problem::unauthorized(None, "The e-mail address or the password is wrong.")
            }
            SessionError::WrongToken => Problem::unauthorized(
                Some("invalid_token"),
                "The refresh token is not valid any more. Log in again at POST /api/v1/sessions.",
            ),
            SessionError::NotFound => AccountError::NotFound.into(),
            SessionError::TooManyFailures { wait_s } => {
                Problem::too_many(format!("There were too many failures. Try again in {wait_s} s."), wait_s)
            }
            SessionError::Store(failure) => failure.into(),
        }
    }
}
