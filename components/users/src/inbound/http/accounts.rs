//! `/api/v1/users`.

use axum::{Json, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use kit::{
    Admin, Caller, Id, Listing, Page, Problem, Valid,
    etag::{self, IfMatch, IfMatchHeader},
    input::{Everything, IdPath},
    page::{Cursor, PageQuery},
    problem::Kind,
    refusals,
};
use serde_json::json;

use super::body::{NewUser, UserBody, UserChange};
use crate::{
    domain::{
        accounts::{self, AccountError, Accounts},
        user::User,
    },
    inbound::first_admin,
    outbound::{passwords::Passwords, sql::Sql},
};

const EMAIL_TAKEN: Kind =
    Kind::named(StatusCode::CONFLICT, "email-taken", "An account with this e-mail address exists already.");
const NOT_YOURS_TO_CHANGE: Kind =
    Kind::plain(StatusCode::FORBIDDEN, "Only an administrator may change `active` and `role`.");

const LAST_ADMINISTRATOR: Kind =
    Kind::named(StatusCode::CONFLICT, "last-administrator", "It is the last active administrator.");

refusals! {
    /// Why an account is not made.
    RegisterRefusals: EMAIL_TAKEN
}

refusals! {
    /// Why an account is not changed.
    ChangeRefusals: EMAIL_TAKEN, LAST_ADMINISTRATOR, NOT_YOURS_TO_CHANGE
}

/// Register
///
/// The account may order at once; log in at `/api/v1/sessions`.
#[utoipa::path(
    post, path = "/api/v1/users", operation_id = "registerUser", tag = "users", request_body = NewUser,
    responses(
        (
            status = 201, description = "The account.", body = UserBody,
            headers(("Location" = String), ("ETag" = String)),
            links(
                ("logIn" = (
                    operation_id = "logIn",
                    request_body = json!({"email": "$request.body#/email", "password": "$request.body#/password"})
                ))
            )
        ),
        RegisterRefusals
    )
)]
pub async fn register(Valid(registration): Valid<NewUser>) -> Result<impl IntoResponse, Problem> {
    first_admin::ensure().await?;
    let user = accounts::register(&Sql, &Passwords, registration).await?;
    let location = format!("/api/v1/users/{}", user.id);
    let location = HeaderValue::from_str(&location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(user)))
}

/// List the accounts
///
/// In the order in which they were registered, for administrators.
#[utoipa::path(
    get, path = "/api/v1/users", operation_id = "listUsers", tag = "users", security(("bearer" = ["admin"])),
    params(PageQuery),
    responses((
        status = 200, description = "A page of accounts.", body = [UserBody], headers(("Link" = String)),
        links(
            ("getUser" = (operation_id = "getUser", parameters(("id" = json!("$response.body#/0/id"))))),
            ("changeUser" = (operation_id = "changeUser", parameters(("id" = json!("$response.body#/0/id")))))
        )
    ))
)]
pub async fn list(_admin: Admin, Listing((), paging): Listing<Everything>) -> Result<Page<UserBody>, Problem> {
    let users = Sql.list(paging.after, paging.fetch()).await?;
    let page = paging.page(users, |user| {
        let (created_at, id) = (user.created_at, user.id);
        Cursor { created_at, id }.encode()
    });
    Ok(page.map(UserBody::from))
}

/// Read an account
///
/// Its owner and administrators may.
#[utoipa::path(
    get, path = "/api/v1/users/{id}", operation_id = "getUser", tag = "users", security(("bearer" = [])),
    params(IdPath),
    responses((
        status = 200, description = "The account.", body = UserBody, headers(("ETag" = String)),
        links(("changeUser" = (
            operation_id = "changeUser",
            parameters(("id" = json!("$response.body#/id")), ("If-Match" = json!("$response.header.ETag")))
        )))
    ))
)]
pub async fn get(caller: Caller, Id(id): Id) -> Result<impl IntoResponse, Problem> {
    if !caller.may_see(id) {
        return Err(AccountError::NotFound.into());
    }
    Ok(answer(Sql.get(id).await?))
}

/// Change an account
///
/// `active` and `role` are for administrators; changing them ends the account's sessions. The last active administrator
/// stays one: 409. With `If-Match` the change is made only if there was no other meanwhile: 412. Without it, whatever the
/// version is.
#[utoipa::path(
    patch, path = "/api/v1/users/{id}", operation_id = "changeUser", tag = "users", security(("bearer" = [])),
    params(IdPath, IfMatchHeader),
    request_body = UserChange,
    responses(
        (status = 200, description = "The account, changed.", body = UserBody, headers(("ETag" = String))),
        ChangeRefusals
    )
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
        return Err(Problem::new(NOT_YOURS_TO_CHANGE, "Only an administrator may change `active` and `role`."));
    }
    Ok(answer(Sql.change(caller.user_id, id, &change, expected).await?))
}

fn answer(user: User) -> impl IntoResponse {
    let tag = etag::of(user.version);
    ([(header::ETAG, tag)], Json(UserBody::from(user)))
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::EmailTaken => {
                Problem::new(EMAIL_TAKEN, "An account with this e-mail address exists already.")
            }
            AccountError::NotFound => Problem::not_found("There is no such user."),
            AccountError::Changed => Problem::precondition_failed(),
            AccountError::NotPermitted => Problem::forbidden("Your account may not do this any more."),
            AccountError::LastAdministrator => {
                Problem::new(LAST_ADMINISTRATOR, "This is the last active administrator; make somebody else one first.")
            }
            AccountError::Store(failure) => failure.into(),
        }
    }
}
