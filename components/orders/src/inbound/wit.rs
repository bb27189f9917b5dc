//! `shop:orders/readiness`: whether the orders can do their work.

use crate::bindings::Component;
use crate::bindings::exports::shop::orders::readiness::{Error, Guest};
use crate::outbound::sql::{DATABASE, events_flow};

impl Guest for Component {
    async fn check() -> Result<(), Error> {
        DATABASE.answers().await.map_err(|error| Error::Unavailable(error.to_string()))
    }

    async fn events_flow() -> Result<bool, Error> {
        events_flow().await.map_err(|error| Error::Unavailable(error.to_string()))
    }
}
