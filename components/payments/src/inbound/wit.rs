//! `shop:payments/readiness`: whether the payments can do their work.

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::readiness::{Error, Guest};
use crate::outbound::sql::DATABASE;

impl Guest for Component {
    async fn check() -> Result<(), Error> {
        DATABASE.answers().await.map_err(|error| Error::Unavailable(error.to_string()))
    }
}
