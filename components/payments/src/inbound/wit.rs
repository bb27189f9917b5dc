//! `shop:payments/readiness`: whether the payments and their provider can do their work.

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::readiness::{Error, Guest};
use crate::outbound::DATABASE;
use crate::outbound::shop::provider_answers;

impl Guest for Component {
    async fn check() -> Result<(), Error> {
        DATABASE.answers().await.map_err(|error| Error::Unavailable(error.to_string()))
    }

    async fn check_provider() -> Result<(), Error> {
        provider_answers().await.map_err(|unavailable| Error::Unavailable(unavailable.why))
    }
}
