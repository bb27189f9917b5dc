//! `/api/v1/products/{id}/stock` and its ledger.

use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use http::StatusCode;
use kit::{
    ActingAdmin, Admin, Faults, Id, Input, Listing, Page, Problem, Traceparent, Valid,
    input::{Everything, IdPath},
    page::{Cursor, PageQuery},
    problem::Kind,
    refusals,
    text::text,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, schema::Type},
};

use super::{body::ProductBody, catalogue::answer};
use crate::{
    domain::{
        catalogue::CatalogueError,
        stock::{Adjustment, CHANGE_MAX, Delta, Movement, Stock, StockError},
    },
    outbound::{Users, sql::Sql},
};

const BELOW_RESERVED: Kind =
    Kind::named(StatusCode::CONFLICT, "below-reserved", "Fewer pieces would be left than orders have reserved.");
const TOO_MANY_PIECES: Kind =
    Kind::named(StatusCode::CONFLICT, "too-many-pieces", "There would be more than 1000000000 pieces.");

refusals! {
    /// Why the stock stays as it is.
    AdjustRefusals: BELOW_RESERVED, TOO_MANY_PIECES
}

/// Pieces that come or go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"delta": 10, "reason": "delivery"})))]
pub struct StockChange {
    /// Above 0 pieces come, below they go.
    #[schema(required, schema_with = pieces)]
    delta: Option<i64>,
    #[schema(required, schema_with = text::<1, 200>)]
    reason: Option<String>,
}

/// A row of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Movement, examples(json!({
    "id": 5, "productId": 3, "delta": -2, "reason": "sold", "reservation": "8e03978e-40d5-43e8-bc93-6894a57f9324",
    "createdAt": "2026-11-24T09:30:00.123456Z"
})))]
#[serde(rename_all = "camelCase")]
pub struct MovementBody {
    id: i64,
    product_id: i64,
    /// Above 0 pieces came, below they went.
    delta: i64,
    reason: String,
    /// The reservation that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
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
/// Never below what reservations hold. For administrators.
#[utoipa::path(
    post, path = "/api/v1/products/{id}/stock", tag = "products", operation_id = "adjustStock",
    security(("bearer" = ["admin"])), params(IdPath), request_body = StockChange,
    responses(
        (status = 200, description = "The product.", body = ProductBody, headers(("ETag" = String))),
        AdjustRefusals
    )
)]
pub async fn adjust(
    _admin: ActingAdmin<Users>,
    Id(id): Id,
    Traceparent(traceparent): Traceparent,
    Valid(adjustment): Valid<StockChange>,
) -> Result<impl IntoResponse, Problem> {
    Ok(answer(Sql.adjust(id, &adjustment, traceparent.as_deref()).await?))
}

/// Read the ledger
///
/// Every change of the pieces in the house, the oldest first. They add up to what is there. For administrators.
#[utoipa::path(
    get, path = "/api/v1/products/{id}/movements", tag = "products", operation_id = "listMovements",
    security(("bearer" = ["admin"])),
    params(IdPath, PageQuery),
    responses((status = 200, description = "A page of the ledger.", body = [MovementBody], headers(("Link" = String))))
)]
pub async fn movements(
    _admin: Admin,
    Id(id): Id,
    Listing((), paging): Listing<Everything>,
) -> Result<Page<MovementBody>, Problem> {
    let found = Sql.movements(id, paging.after, paging.fetch()).await?;
    let movements = found.ok_or(CatalogueError::NotFound)?;
    let page = paging.page(movements, |movement| {
        let (created_at, id) = (movement.created_at, movement.id);
        Cursor { created_at, id }.encode()
    });
    Ok(page.map(MovementBody::from))
}

/// Some pieces, but never none.
fn pieces() -> Object {
    let pieces = ObjectBuilder::new().schema_type(Type::Integer);
    let pieces = pieces.minimum(Some(-CHANGE_MAX as f64)).maximum(Some(CHANGE_MAX as f64));
    pieces.description(Some("Above 0 pieces come, below they go; never 0.")).build()
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
                Problem::new(BELOW_RESERVED, "Fewer pieces would be left than orders have reserved.")
            }
            StockError::TooMany => Problem::new(TOO_MANY_PIECES, "There would be more than 1000000000 pieces."),
            StockError::Store(failure) => failure.into(),
        }
    }
}
