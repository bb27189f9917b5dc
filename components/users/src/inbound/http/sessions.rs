//! `/api/v1/sessions`, and the password that opens them.

use axum::{Json, response::IntoResponse};
use http::StatusCode;
use kit::{
    Caller, Faults, Id, Input, Problem, Valid,
    input::IdPath,
    problem::{Kind, kinds},
    refusals, settings,
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
    outbound::{passwords::Passwords, secrets::Random, sql::Sql},
};

/// Longest text that is looked at at all.
const TEXT_MAX_BYTES: usize = 1024;

const WRONG_CREDENTIALS: Kind =
    Kind::plain(StatusCode::UNAUTHORIZED, "The e-mail address or the password is wrong, or the account is not active.");
const WRONG_TOKEN: Kind =
    Kind::plain(StatusCode::UNAUTHORIZED, "The refresh token is not valid any more. Log in again.");
const OWNER_ONLY: Kind = Kind::plain(StatusCode::FORBIDDEN, "Only the owner may change the password.");

refusals! {
    /// Why nobody is logged in.
    LogInRefusals: WRONG_CREDENTIALS, kinds::TOO_MANY_FAILURES
}

refusals! {
    /// Why a session does not go on.
    RefreshRefusals: WRONG_TOKEN
}

refusals! {
    /// Why a password stays.
    PasswordRefusals: OWNER_ONLY, kinds::TOO_MANY_FAILURES
}

/// A session, just opened or refreshed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session, examples(json!({
    "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl",
    "refresh_token": "bq0XQ9uvLPjYLD4hSOVYH1UrJU0vXqU6cW1vBvC6v2Y", "token_type": "Bearer", "expires_in": 600
})))]
pub struct SessionBody {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// Works once, at `/api/v1/sessions/refresh`.
    refresh_token: String,
    #[schema(pattern = "^Bearer$")]
    token_type: &'static str,
    /// Seconds until the access token ends.
    #[schema(minimum = 0)]
    expires_in: i64,
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"email": "ada@example.com", "password": "correct horse battery"})))]
pub struct LogIn {
    #[schema(required, value_type = String, max_length = 1024)]
    email: Option<String>,
    #[schema(required, value_type = String, max_length = 1024, format = "password")]
    password: Option<String>,
}

/// The token of an earlier answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"refresh_token": "bq0XQ9uvLPjYLD4hSOVYH1UrJU0vXqU6cW1vBvC6v2Y"})))]
pub struct Refresh {
    #[schema(required, value_type = String, max_length = 1024)]
    refresh_token: Option<String>,
}

/// The password of now, and the one to come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"current": "correct horse battery", "new": "the analytical engine"})))]
pub struct PasswordChange {
    #[schema(required, value_type = String, max_length = 1024, format = "password")]
    current: Option<String>,
    /// Not one of the passwords that are guessed first.
    #[schema(required, value_type = String, min_length = 8, max_length = 128, format = "password")]
    new: Option<String>,
}

impl Input for LogIn {
    type Checked = (String, String);

    fn check(self, faults: &mut Faults) -> Option<Self::Checked> {
        let email = faults.parse("email", self.email, bounded);
        let password = faults.parse("password", self.password, bounded);
        Some((email?, password?))
    }
}

impl Input for Refresh {
    type Checked = String;

    fn check(self, faults: &mut Faults) -> Option<String> {
        faults.parse("refresh_token", self.refresh_token, bounded)
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
    responses(
        (
            status = 201, description = "The session.", body = SessionBody,
            links(("refreshSession" = (
                operation_id = "refreshSession",
                request_body = json!({"refresh_token": "$response.body#/refresh_token"})
            )))
        ),
        LogInRefusals
    )
)]
pub async fn log_in(
    ClientAddress(address): ClientAddress,
    Valid((email, password)): Valid<LogIn>,
) -> Result<impl IntoResponse, Problem> {
    first_admin::ensure().await?;
    let account = email.parse().ok().map(|email| Subject::account(&email));
    let subjects: Vec<Subject> = account.into_iter().chain(address.map(Subject::address)).collect();
    let attempt = sessions::log_in(&Sql, &Passwords, &Random, &email, &password);
    answer(throttled(&Sql, &subjects, attempt).await?).await
}

/// Stay logged in
///
/// Each refresh token works once; using one twice ends the session.
#[utoipa::path(
    post, path = "/api/v1/sessions/refresh", operation_id = "refreshSession", tag = "sessions", request_body = Refresh,
    responses(
        (
            status = 201, description = "The session, with new tokens.", body = SessionBody,
            links(("refreshSession" = (
                operation_id = "refreshSession",
                request_body = json!({"refresh_token": "$response.body#/refresh_token"})
            )))
        ),
        RefreshRefusals
    )
)]
pub async fn refresh(Valid(token): Valid<Refresh>) -> Result<impl IntoResponse, Problem> {
    answer(sessions::refresh(&Sql, &Random, &token).await?).await
}

/// Log out
///
/// The session ends; its refresh token is worthless from now on. The access token lives on for the rest of its ten minutes.
#[utoipa::path(
    delete, path = "/api/v1/sessions/current", operation_id = "logOut", tag = "sessions", security(("bearer" = [])),
    responses((status = 204, description = "Logged out."))
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
    params(IdPath), request_body = PasswordChange,
    responses((status = 204, description = "The password is another one now."), PasswordRefusals)
)]
pub async fn change_password(
    caller: Caller,
    Id(id): Id,
    Valid((current, new)): Valid<PasswordChange>,
) -> Result<StatusCode, Problem> {
    if caller.user_id != id {
        return Err(match caller.is_admin() {
            true => Problem::new(OWNER_ONLY, "Only the owner may change the password."),
            false => AccountError::NotFound.into(),
        });
    }
    let attempt = sessions::change_password(&Sql, &Passwords, id, &current, &new);
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
    match text.len() <= TEXT_MAX_BYTES {
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
            SessionError::NotActive => AccountError::NotPermitted.into(),
            SessionError::TooManyFailures { wait_s } => {
                Problem::too_many(format!("There were too many failures. Try again in {wait_s} s."), wait_s)
            }
            SessionError::Store(failure) => failure.into(),
        }
    }
}
