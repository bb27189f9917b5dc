//! `shop:users/directory`.

use crate::bindings::Component;
use crate::bindings::exports::shop::users::directory::{Error, Guest, User};
use crate::domain::question::Manner;
use crate::outbound::{USERS, Unanswered};

impl Guest for Component {
    async fn get_user(id: i64) -> Result<User, Error> {
        USERS.ask("directory/get-user", &(id,), Manner::REPEATABLE).await?
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered.to_string())
    }
}
