//! `shop:orders/readiness`.

use crate::bindings::Component;
use crate::bindings::exports::shop::orders::readiness::{Error, Guest};
use crate::domain::question::Manner;
use crate::outbound::{NOTHING, ORDERS, Unanswered};

impl Guest for Component {
    async fn check() -> Result<(), Error> {
        ORDERS.ask("readiness/check", NOTHING, Manner::REPEATABLE).await?
    }

    async fn events_flow() -> Result<bool, Error> {
        ORDERS.ask("readiness/events-flow", NOTHING, Manner::REPEATABLE).await?
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered.to_string())
    }
}
