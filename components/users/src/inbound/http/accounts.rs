//! `/api/v1/users`.

use axum::{Json, response::IntoResponse};
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use kit::{
    Admin, Caller, Faults, Id, Input, Page, Paging, Problem, Role, Valid,
    etag::{self, IfMatch},
    openapi::Problems,
    page::Cursor,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{
        accounts::{self, AccountError, Accounts, Registration},
        user::{Change, User},
    },
    inbound::first_admin,
    outbound::{argon2::Argon2id, sql::Sql},
};

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserBody {
    #[schema(minimum = 1)]
    id: i64,
    name: String,
    email: String,
    active: bool,
    role: Role,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What it takes to register.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(required, value_type = String, min_length = 2, max_length = 50, example = "Ada Lovelace")]
    name: Option<String>,
    #[schema(required, value_type = String, format = "email", example = "ada@example.com")]
    email: Option<String>,
    #[schema(required, value_type = String, min_length = 8, max_length = 128, format = "password")]
    password: Option<String>,
}

/// A change to an account; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    #[schema(min_length = 2, max_length = 50)]
    name: Option<String>,
    #[schema(format = "email")]
    email: Option<String>,
    /// For administrators.
    active: Option<bool>,
    /// For administrators.
    role: Option<Role>,
}

impl Input for NewUser {
    type Checked = Registration;

    fn check(self, faults: &mut Faults) -> Option<Registration> {
        let name = faults.parse("name", self.name, |text| text.parse());
        let email = faults.parse("email", self.email, |text| text.parse());
        let password = faults.parse("password", self.password, |text| text.parse());
        Some(Registration { name: name?, email: email?, password: password? })
    }
}

impl Input for UserChange {
    type Checked = Change;

    fn check(self, faults: &mut Faults) -> Option<Change> {
        Some(Change {
            name: faults.parse_optional("name", self.name, |text| text.parse()),
            email: faults.parse_optional("email", self.email, |text| text.parse()),
            active: self.active,
            role: self.role,
        })
    }
}

/// Register
///
/// The account may order at once; log in at `/api/v1/sessions`.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "registerUser", tag = "users", request_body = NewUser,
    responses(
        (status = 201, body = UserBody, headers(("Location" = String), ("ETag" = String))),
        Problems
    )
)]
pub async fn register(Valid(registration): Valid<NewUser>) -> Result<impl IntoResponse, Problem> {
    first_admin::ensure().await?;
    let user = accounts::register(&Sql, &Argon2id, registration).await?;
    let location = format!("/api/v1/users/{}", user.id);
    let location = HeaderValue::from_str(&location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(user)))
}

/// List the accounts
///
/// In the order in which they were registered, for administrators.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "listUsers", tag = "users", security(("bearer" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "1 to 100, else 20"),
        ("cursor" = Option<String>, Query, description = "Out of the Link header of the page before")
    ),
    responses((status = 200, body = [UserBody], headers(("Link" = String))), Problems)
)]
pub async fn list(_admin: Admin, paging: Paging) -> Result<Page<UserBody>, Problem> {
    let users = Sql.list(paging.place()?, paging.fetch()).await?;
    let page = paging.page(users, |user| {
        let (created_at, id) = (user.created_at, user.id);
        Cursor { created_at, id }.encode()
    });
    Ok(page.map(UserBody::from))
}

/// Read an account
#[utoipa::path(
    get, path = "/api/v1/users/{id}", operation_id = "getUser", tag = "users", security(("bearer" = [])),
    params(("id" = i64, Path)),
    responses((status = 200, body = UserBody, headers(("ETag" = String))), Problems)
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<impl IntoResponse, Problem> {
    if !caller.may_see(id) {
        return Err(AccountError::NotFound.into());
    }
    Ok(answer(Sql.get(id).await?))
}

/// Change an account
///
/// `active` and `role` are for administrators; changing them ends the account's sessions.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", operation_id = "changeUser", tag = "users", security(("bearer" = [])),
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of what you read")
    ),
    request_body = UserChange,
    responses((status = 200, body = UserBody, headers(("ETag" = String))), Problems)
)]
pub async fn change(
    caller: Caller,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Valid(change): Valid<UserChange>,
) -> Result<impl IntoResponse, Problem> {
    if !caller.may_see(id) {
        return Err(AccountError::NotFound.into());
    }
    if change.needs_admin() && !caller.is_admin() {
        return Err(Problem::forbidden("Only an administrator may change `active` and `role`."));
    }
    Ok(answer(Sql.change(id, &change, expected).await?))
}

fn answer(user: User) -> impl IntoResponse {
    let tag = etag::of(user.version);
    ([(header::ETAG, tag)], Json(UserBody::from(user)))
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            active: user.active,
            role: user.role,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => {
                Problem::conflict("email-taken", "An account with this e-mail address exists already.")
            }
            AccountError::NotFound => Problem::not_found("There is no such user."),
            AccountError::Changed => Problem::precondition_failed(),
            AccountError::Store(failure) => failure.into(),
        }
    }
}
