//! Users and products, by the interfaces that the shop's components share.

use kit::{Directory, Money};

use super::World;
use crate::bindings::shop::products::inventory;
use crate::domain::line::{Line, Wanted};
use crate::domain::ports::{Customers, Shortage, Stock, StockError, Taken, Unavailable};

impl Customers for World {
    async fn is_active(&self, user_id: i64) -> Result<bool, Unavailable> {
        Ok(Self::role(user_id).await?.is_some())
    }
}

kit::directory!(World, crate::bindings::shop::users::directory);

impl Stock for World {
    async fn reserve(
        &self,
        reservation_id: &str,
        lines: &[Wanted],
        hold_seconds: u32,
    ) -> Result<Vec<Taken>, StockError> {
        let lines = lines.iter().map(|line| inventory::Line { product_id: line.product_id, quantity: line.quantity });
        let reserved =
            inventory::reserve(reservation_id.to_owned(), lines.collect(), hold_seconds, self.traceparent.clone());
        let reserved = reserved.await;
        Ok(reserved.map_err(error)?.into_iter().map(taken).collect())
    }

    async fn commit(&self, reservation_id: &str) -> Result<(), StockError> {
        inventory::commit(reservation_id.to_owned(), self.traceparent.clone()).await.map_err(error)
    }

    async fn undo(&self, reservation_id: &str) -> Result<(), StockError> {
        inventory::undo(reservation_id.to_owned()).await.map_err(error)
    }
}

fn taken(line: inventory::ReservedLine) -> Taken {
    Taken {
        line: Line {
            product_id: line.product_id,
            quantity: line.quantity,
            name: line.name,
            price: Money::from_minor(line.price_minor),
        },
        currency: line.currency,
    }
}

fn error(error: inventory::Error) -> StockError {
    match error {
        inventory::Error::UnknownProducts(ids) => StockError::UnknownProducts(ids),
        inventory::Error::OutOfStock(shortages) => {
            StockError::OutOfStock(shortages.into_iter().map(shortage).collect())
        }
        inventory::Error::NotFound => StockError::NotFound,
        inventory::Error::Undone => StockError::Undone,
        inventory::Error::Unavailable(why) => StockError::Unavailable(Unavailable { who: "products", why }),
    }
}

fn shortage(shortage: inventory::Shortage) -> Shortage {
    Shortage { product_id: shortage.product_id, wanted: shortage.wanted, available: shortage.available }
}
