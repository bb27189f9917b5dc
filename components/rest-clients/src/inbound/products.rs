//! `shop:products/inventory`. Each of its functions may be repeated: a reservation has a name.

use crate::bindings::Component;
use crate::bindings::exports::shop::products::inventory::{Error, Guest, Line, ReservedLine};
use crate::domain::question::Manner;
use crate::outbound::{PRODUCTS, Unanswered};

impl Guest for Component {
    async fn reserve(
        reservation: String,
        lines: Vec<Line>,
        hold_seconds: u32,
        trace: Option<String>,
    ) -> Result<Vec<ReservedLine>, Error> {
        let arguments = (reservation, lines, hold_seconds, trace);
        PRODUCTS.ask("inventory/reserve", &arguments, Manner::REPEATABLE).await?
    }

    async fn commit(reservation: String, trace: Option<String>) -> Result<(), Error> {
        PRODUCTS.ask("inventory/commit", &(reservation, trace), Manner::REPEATABLE).await?
    }

    async fn undo(reservation: String) -> Result<(), Error> {
        PRODUCTS.ask("inventory/undo", &(reservation,), Manner::REPEATABLE).await?
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered.to_string())
    }
}
