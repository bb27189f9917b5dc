//! `shop:products/inventory`: the stock for the services that sell it.

use crate::{
    bindings::{
        Component,
        exports::shop::products::inventory::{Error, Guest, Line, ReservedLine, Shortage},
    },
    domain::reservation::{self, ReservationError},
    outbound::sql::Ledger,
};

impl Guest for Component {
    async fn reserve(
        reservation: String,
        lines: Vec<Line>,
        hold_seconds: u32,
        trace: Option<String>,
    ) -> Result<Vec<ReservedLine>, Error> {
        let lines: Vec<reservation::Line> = lines
            .into_iter()
            .map(|line| reservation::Line { product_id: line.product_id, quantity: line.quantity })
            .collect();
        let taken = reservation::reserve(&Ledger { traceparent: trace }, &reservation, &lines, hold_seconds).await?;
        Ok(taken
            .into_iter()
            .map(|line| ReservedLine {
                product_id: line.product_id,
                quantity: line.quantity,
                name: line.name,
                price_minor: line.price.minor(),
                currency: line.currency,
            })
            .collect())
    }

    async fn commit(reservation: String, trace: Option<String>) -> Result<(), Error> {
        Ok(reservation::commit(&Ledger { traceparent: trace }, &reservation).await?)
    }

    async fn undo(reservation: String) -> Result<(), Error> {
        Ok(reservation::undo(&Ledger::default(), &reservation, None).await?)
    }
}

impl From<ReservationError> for Error {
    fn from(error: ReservationError) -> Self {
        match error {
            ReservationError::UnknownProducts(ids) => Error::UnknownProducts(ids),
            ReservationError::OutOfStock(short) => Error::OutOfStock(
                short
                    .into_iter()
                    .map(|short| Shortage {
                        product_id: short.product_id,
                        wanted: short.wanted,
                        available: short.available,
                    })
                    .collect(),
            ),
            ReservationError::NotFound => Error::NotFound,
            ReservationError::Undone => Error::Undone,
            error => {
                eprintln!("error: {error}");
                Error::Unavailable(error.to_string())
            }
        }
    }
}
