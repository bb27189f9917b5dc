//! The products on offer.

use kit::{Failure, Money};
use thiserror::Error;

use super::product::{Change, NewProduct, Product, Sort};

/// Which products a list shows; archived ones never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that name or description must contain.
    pub text: Option<String>,
    /// The category.
    pub category: Option<String>,
    /// The lowest price.
    pub min_price: Option<Money>,
    /// The highest price.
    pub max_price: Option<Money>,
    /// The order.
    pub sort: Sort,
}

/// Why a product was not changed or shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CatalogueError {
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// The product has another version than the one that the change was made for.
    #[error("the product has changed meanwhile")]
    Changed,
    /// The cursor is not one of this list in this order.
    #[error("the cursor does not belong to this list")]
    UnknownCursor,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// A product in a list, with the place to go on from behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The product.
    pub product: Product,
    /// Its place in the list, as clients see it.
    pub cursor: String,
}

/// Where products are kept.
pub trait Catalogue: Sync {
    /// Stores a new product with its first pieces.
    fn insert(&self, product: &NewProduct) -> impl Future<Output = Result<Product, Failure>> + Send;

    /// The product with this id, archived or not.
    fn get(&self, id: i64) -> impl Future<Output = Result<Product, CatalogueError>> + Send;

    /// Products on offer, behind `cursor`, `limit` of them at most.
    fn list(
        &self,
        filter: &Filter,
        cursor: Option<&str>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Listed>, CatalogueError>> + Send;

    /// Changes a product, if it has the version `expected`.
    fn change(
        &self,
        id: i64,
        change: &Change,
        expected: Option<i64>,
    ) -> impl Future<Output = Result<Product, CatalogueError>> + Send;
}
