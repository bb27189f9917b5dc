//! The products on offer.

use kit::{Failure, Money};
use thiserror::Error;

use super::{
    place::Place,
    product::{Change, NewProduct, Product, Sort},
    search::Search,
};

/// Which products a list shows; archived ones never.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words in name, description or category.
    pub search: Option<Search>,
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
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// Where products are kept.
pub trait Catalogue: Sync {
    /// Stores a new product with its first pieces.
    fn insert(&self, product: &NewProduct) -> impl Future<Output = Result<Product, Failure>> + Send;

    /// The product with this id, archived or not.
    fn get(&self, id: i64) -> impl Future<Output = Result<Product, CatalogueError>> + Send;

    /// Products on offer, behind the place `after`, which is one in the filter's order; `limit` of them at most.
    fn list(
        &self,
        filter: &Filter,
        after: Option<Place>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<Product>, Failure>> + Send;

    /// Changes a product, if it has the version `expected`.
    fn change(
        &self,
        id: i64,
        change: &Change,
        expected: Option<i64>,
    ) -> impl Future<Output = Result<Product, CatalogueError>> + Send;
}
