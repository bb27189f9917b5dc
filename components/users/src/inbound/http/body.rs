//! Accounts as they come in and go out.

use chrono::{DateTime, Utc};
use kit::{
    Faults, Input, Role,
    text::{line, line_or_nothing, or_nothing},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{KnownFormat, Object, ObjectBuilder, SchemaFormat, schema::Type},
};

use crate::domain::{
    accounts::Registration,
    user::{Change, User},
};

/// An account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User, examples(json!({
    "id": 7, "name": "Ada Lovelace", "email": "ada@example.com", "active": true, "role": "customer",
    "created_at": "2026-11-24T09:30:00.123456Z", "updated_at": "2026-11-24T09:30:00.123456Z"
})))]
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
#[schema(examples(json!({"name": "Ada Lovelace", "email": "ada@example.com", "password": "correct horse battery"})))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(required, schema_with = line::<2, 50>)]
    name: Option<String>,
    #[schema(required, schema_with = email_address)]
    email: Option<String>,
    /// Not one of the passwords that are guessed first.
    #[schema(required, value_type = String, min_length = 8, max_length = 128, format = "password")]
    password: Option<String>,
}

/// A change to an account; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({"name": "Ada King"})))]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    #[schema(schema_with = line_or_nothing::<2, 50>)]
    name: Option<String>,
    #[schema(schema_with = email_address_or_nothing)]
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

/// Letters beyond ASCII are taken, so it is no mere `email` (JSON Schema, 7.3.2).
fn email_address() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::IdnEmail)))
        .max_length(Some(254))
        .build()
}

fn email_address_or_nothing() -> Object {
    or_nothing(email_address())
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
