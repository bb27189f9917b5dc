//! `/api/v1/products/{id}/stock` and its ledger.

use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use kit::{Admin, Faults, Id, Input, Page, Paging, Problem, Valid, openapi::Problems, page::Cursor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::catalogue::{ProductBody, answer};
use crate::{
    domain::{
        catalogue::CatalogueError,
        stock::{Adjustment, Delta, Movement, Stock, StockError},
    },
    outbound::sql::Sql,
};

/// Pieces that come or go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockChange {
    /// Above 0 pieces come, below they go.
    #[schema(required, value_type = i64, minimum = -1_000_000, maximum = 1_000_000, example = 10)]
    delta: Option<i64>,
    #[schema(required, value_type = String, min_length = 1, max_length = 200, example = "delivery")]
    reason: Option<String>,
}

/// A row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Movement)]
#[serde(rename_all = "camelCase")]
pub struct MovementBody {
    id: i64,
    product_id: i64,
    /// Above 0 pieces came, below they went.
    delta: i64,
    reason: String,
    /// The reservation that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<String>,
    created_at: DateTime<Utc>,
}

impl Input for StockChange {
    type Checked = Adjustment;

    fn check(self, faults: &mut Faults) -> Option<Adjustment> {
        let delta = faults.parse("delta", self.delta, Delta::try_from);
        let reason = faults.parse("reason", self.reason, |text| text.parse());
        Some(Adjustment { delta: delta?, reason: reason? })
    }
}

/// Bring pieces in or take them out
///
/// Never below what reservations hold.
#[utoipa::path(
    post, path = "/api/v1/products/{id}/stock", tag = "products", operation_id = "adjustStock",
    security(("bearer" = [])), params(("id" = i64, Path)), request_body = StockChange,
    responses((status = 200, body = ProductBody), Problems)
)]
pub async fn adjust(
    _admin: Admin,
    Id(id): Id,
    Valid(adjustment): Valid<StockChange>,
) -> Result<impl IntoResponse, Problem> {
    Ok(answer(Sql.adjust(id, &adjustment).await?))
}

/// Read the ledger
///
/// Every change of the pieces in the house, the oldest first. They add up to what is there.
#[utoipa::path(
    get, path = "/api/v1/products/{id}/movements", tag = "products", operation_id = "listMovements",
    security(("bearer" = [])),
    params(
        ("id" = i64, Path),
        ("limit" = Option<i64>, Query, description = "1 to 100, else 20"),
        ("cursor" = Option<String>, Query, description = "Out of the Link header of the page before")
    ),
    responses((status = 200, body = [MovementBody], headers(("Link" = String))), Problems)
)]
pub async fn movements(_admin: Admin, Id(id): Id, paging: Paging) -> Result<Page<MovementBody>, Problem> {
    let found = Sql.movements(id, paging.place()?, paging.fetch()).await?;
    let movements = found.ok_or(CatalogueError::NotFound)?;
    let page = paging.page(movements, |movement| {
        let (created_at, id) = (movement.created_at, movement.id);
        Cursor { created_at, id }.encode()
    });
    Ok(page.map(MovementBody::from))
}

impl From<Movement> for MovementBody {
    fn from(movement: Movement) -> Self {
        Self {
            id: movement.id,
            product_id: movement.product_id,
            delta: movement.delta,
            reason: movement.reason,
            reservation: movement.reservation,
            created_at: movement.created_at,
        }
    }
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        match error {
            StockError::NotFound => CatalogueError::NotFound.into(),
            StockError::BelowReserved => {
                Problem::conflict("below-reserved", "Fewer pieces would be left than orders have reserved.")
            }
            StockError::TooMany => Problem::conflict("too-many-pieces", "There would be more than 1000000000 pieces."),
            StockError::Store(failure) => failure.into(),
        }
    }
}
