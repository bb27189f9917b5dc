//! `shop:users/directory`: accounts for the services that act on their behalf.

use crate::{
    bindings::{
        Component,
        exports::shop::users::directory::{Error, Guest, Role, User},
    },
    domain::accounts::{AccountError, Accounts},
    outbound::sql::Sql,
};

impl Guest for Component {
    async fn get_user(id: i64) -> Result<User, Error> {
        match Sql.get(id).await {
            Ok(user) => Ok(User {
                id: user.id,
                name: user.name,
                email: user.email,
                active: user.active,
                role: match user.role {
                    kit::Role::Customer => Role::Customer,
                    kit::Role::Admin => Role::Admin,
                },
            }),
            Err(AccountError::NotFound) => Err(Error::NotFound),
            Err(error) => {
                eprintln!("error: {error}");
                Err(Error::Unavailable("the accounts cannot be read just now".to_owned()))
            }
        }
    }
}
