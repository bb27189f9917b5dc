use kit::{Directory, Role, Unavailable};

use crate::bindings::shop::users::directory;

/// The accounts, by the interface that the shop's components share.
pub struct Users;

impl Directory for Users {
    async fn role(user_id: i64) -> Result<Option<Role>, Unavailable> {
        match directory::get_user(user_id).await {
            Ok(user) if user.active && user.role == directory::Role::Admin => Ok(Some(Role::Admin)),
            Ok(user) => Ok(user.active.then_some(Role::Customer)),
            Err(directory::Error::NotFound) => Ok(None),
            Err(directory::Error::Unavailable(why)) => Err(Unavailable { who: "users", why }),
        }
    }
}
