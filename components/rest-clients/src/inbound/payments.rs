//! `shop:payments/readiness`.

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::readiness::{Error, Guest};
use crate::domain::question::Manner;
use crate::outbound::{NOTHING, PAYMENTS, Unanswered};

impl Guest for Component {
    async fn check() -> Result<(), Error> {
        PAYMENTS.ask("readiness/check", NOTHING, Manner::REPEATABLE).await?
    }

    async fn check_provider() -> Result<(), Error> {
        PAYMENTS.ask("readiness/check-provider", NOTHING, Manner::REPEATABLE).await?
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered.to_string())
    }
}
