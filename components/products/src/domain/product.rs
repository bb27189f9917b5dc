//! A product.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use kit::{Currency, Money, text::Text};
use thiserror::Error;

use super::stock::Pieces;

/// What a product is called.
pub type Name = Text<1, 200>;
/// What is to be said about it.
pub type Description = Text<0, 5000>;
/// The shelf it stands on.
pub type Category = Text<1, 50>;

/// A product as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its number, from 1.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What is to be said about it.
    pub description: String,
    /// The shelf it stands on.
    pub category: String,
    /// The price of one piece.
    pub price: Money,
    /// The price's currency.
    pub currency: String,
    /// Pieces that can still be ordered.
    pub available: i64,
    /// False once it is archived; nobody can order it then.
    pub active: bool,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it came into the catalogue.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A product about to come into the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// What it is called.
    pub name: Name,
    /// What is to be said about it.
    pub description: Description,
    /// The shelf it stands on.
    pub category: Category,
    /// The price of one piece.
    pub price: Price,
    /// The price's currency: the shop's.
    pub currency: Currency,
    /// Pieces to begin with.
    pub stock: Pieces,
}

/// A change to a product; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Another name.
    pub name: Option<Name>,
    /// Another description.
    pub description: Option<Description>,
    /// Another category.
    pub category: Option<Category>,
    /// Another price.
    pub price: Option<Price>,
    /// Archives it or brings it back.
    pub active: Option<bool>,
}

/// A price: from 0.01 to ten million.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price(Money);

/// The amount is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be from 0.01 to 10000000.00")]
pub struct PriceError;

impl Price {
    /// A hundred lines of a thousand pieces at this price still fit into 64 bits, by far.
    const MAX: Money = Money::from_minor(1_000_000_000);

    /// The price.
    pub fn money(self) -> Money {
        self.0
    }
}

impl TryFrom<Money> for Price {
    type Error = PriceError;

    fn try_from(money: Money) -> Result<Self, PriceError> {
        let sound = money > Money::ZERO && money <= Self::MAX;
        sound.then_some(Self(money)).ok_or(PriceError)
    }
}

/// In which order a list of products comes. Equal ones come by their id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The oldest first.
    #[default]
    Created,
    /// The newest first.
    CreatedDescending,
    /// The cheapest first.
    Price,
    /// The dearest first.
    PriceDescending,
    /// By name.
    Name,
}

/// There is no such order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of created, -created, price, -price, name")]
pub struct SortError;

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] = [Self::Created, Self::CreatedDescending, Self::Price, Self::PriceDescending, Self::Name];

    /// The order's name in a query.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Created => "created",
            Sort::CreatedDescending => "-created",
            Sort::Price => "price",
            Sort::PriceDescending => "-price",
            Sort::Name => "name",
        }
    }
}

impl FromStr for Sort {
    type Err = SortError;

    fn from_str(name: &str) -> Result<Self, SortError> {
        Sort::ALL.into_iter().find(|sort| sort.as_str() == name).ok_or(SortError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_never_nothing_and_never_absurd() {
        assert!(Price::try_from(Money::from_minor(1)).is_ok());
        assert!(Price::try_from(Price::MAX).is_ok());
        for minor in [i64::MIN, -1, 0, 1_000_000_001, i64::MAX] {
            assert!(Price::try_from(Money::from_minor(minor)).is_err());
        }
    }

    #[test]
    fn an_order_is_known_by_its_name() {
        assert_eq!("-price".parse(), Ok(Sort::PriceDescending));
        assert_eq!("stock".parse::<Sort>(), Err(SortError));
    }
}
