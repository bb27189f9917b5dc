//! `POST /api/v1/orders`.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kit::idempotency::{self, Answer, Claim, Claimed, IdempotencyKey, IdempotencyKeyHeader};
use kit::input::Hashed;
use kit::problem::Kind;
use kit::{Caller, Fault, Problem, Traceparent, refusals, settings, uuid};
use serde_json::json;

use super::body::{NewOrder, NewOrderBody, OrderBody};
use crate::domain::order::Order;
use crate::domain::place::{Ids, PlaceError, Refusal, Wish, place};
use crate::outbound::sql::DATABASE;
use crate::outbound::{KeyIds, World};

/// How long an order waits for its payment, unless the variable `order_ttl_seconds` says otherwise.
const DEFAULT_TTL_SECONDS: u32 = 30 * 60;
/// How long one attempt may take: as long as the host lets a request to this component run, and a little more.
const LEASE_SECONDS: i64 = 12;

const UNPROCESSABLE: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
const NOT_ACTIVE_OR_NOT_YOURS: Kind =
    Kind::plain(StatusCode::FORBIDDEN, "The account is not active, or `userId` is another's.");
const OUT_OF_STOCK: Kind = Kind::named(
    StatusCode::CONFLICT,
    "out-of-stock",
    "There is not enough stock; `errors` names what is short. Nothing was ordered.",
);
const TOTAL_DIFFERS: Kind =
    Kind::named(StatusCode::CONFLICT, "total-differs", "The order does not cost what `expectedTotal` says.");
const RESERVATION_UNDONE: Kind = Kind::named(
    StatusCode::CONFLICT,
    "reservation-undone",
    "The pieces held for this key were given back. Use a fresh key.",
);
const UNKNOWN_PRODUCT: Kind = Kind::named(
    UNPROCESSABLE,
    "unknown-product",
    "A product does not exist or is no longer sold; `errors` names which.",
);
const FOREIGN_CURRENCY: Kind =
    Kind::named(UNPROCESSABLE, "foreign-currency", "A product is not priced in the shop's currency.");
const TOTAL_OUT_OF_BOUNDS: Kind =
    Kind::named(UNPROCESSABLE, "total-out-of-bounds", "The order costs nothing, or more than can be paid.");

refusals! {
    /// Why an order is not placed.
    PlaceRefusals:
        NOT_ACTIVE_OR_NOT_YOURS, OUT_OF_STOCK, TOTAL_DIFFERS, RESERVATION_UNDONE, UNKNOWN_PRODUCT, FOREIGN_CURRENCY,
        TOTAL_OUT_OF_BOUNDS
}

/// Place an order
///
/// Its pieces are held until it is paid or its deadline passes. A payment is opened a moment later: find it by
/// `GET /api/v1/payments?orderId=…` and confirm it.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "orders",
    operation_id = "placeOrder",
    security(("bearer" = [])),
    params(IdempotencyKeyHeader),
    request_body = NewOrderBody,
    responses(
        (
            status = 201, description = "The order, pending.", body = OrderBody,
            headers(("Location" = String), ("ETag" = String)),
            links(
                ("getOrder" = (operation_id = "getOrder", parameters(("id" = json!("$response.body#/id"))))),
                ("getOrderHistory" = (
                    operation_id = "getOrderHistory",
                    parameters(("id" = json!("$response.body#/id")))
                )),
                ("cancelOrder" = (operation_id = "cancelOrder", parameters(("id" = json!("$response.body#/id"))))),
                ("listPayments" = (
                    operation_id = "listPayments",
                    parameters(("orderId" = json!("$response.body#/id")))
                ))
            )
        ),
        PlaceRefusals
    )
)]
pub async fn place_order(
    caller: Caller,
    key: IdempotencyKey,
    Traceparent(traceparent): Traceparent,
    Hashed(new, body_sha256): Hashed<NewOrderBody>,
) -> Result<Response, Problem> {
    kit::local(place_for(caller, key, traceparent, new, body_sha256)).await
}

async fn place_for(
    caller: Caller,
    key: IdempotencyKey,
    traceparent: Option<String>,
    new: NewOrder,
    body_sha256: [u8; 32],
) -> Result<Response, Problem> {
    if new.user_id.is_some_and(|user_id| user_id != caller.user_id) {
        return Err(Problem::new(NOT_ACTIVE_OR_NOT_YOURS, "`userId` must be your own, or be left out."));
    }
    let ids = KeyIds { reservation_id: uuid::random()?, number: 0 };
    let claim = Claim {
        user_id: caller.user_id,
        route: "POST /orders",
        key: &key,
        body_sha256,
        ids: &ids,
        sequence: Some("order_number"),
        lease_s: LEASE_SECONDS,
    };
    let lease = match idempotency::claim(&DATABASE, claim).await? {
        Claimed::Done(answer) => return Ok(answer.into_response()),
        Claimed::Mine(lease) => lease,
    };
    let ids = Ids { order_id: lease.ids.number, reservation_id: lease.ids.reservation_id.clone() };
    let world = World { lease: Some(lease), traceparent };
    let answer = place(&world, &wish(caller.user_id, new).await, &ids, render).await?;
    Ok(answer.into_response())
}

async fn wish(user_id: i64, new: NewOrder) -> Wish {
    let ttl_seconds = settings::get_or("order_ttl_seconds", "").await;
    Wish {
        user_id,
        lines: new.lines,
        expected_total: new.expected_total,
        currency: settings::get_or("currency", "EUR").await,
        ttl_seconds: ttl_seconds.parse().unwrap_or(DEFAULT_TTL_SECONDS),
    }
}

fn render(result: Result<&Order, &Refusal>) -> Answer {
    match result {
        Ok(order) => Answer::json(StatusCode::CREATED, &OrderBody::from(order.clone()))
            .with_header(header::LOCATION, format!("/api/v1/orders/{}", order.id))
            .with_header(header::ETAG, format!("\"{}\"", order.version)),
        Err(refusal) => Answer::problem(&problem(refusal)),
    }
}

fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::NotActive => Problem::new(NOT_ACTIVE_OR_NOT_YOURS, "Your account is not active, so it cannot order."),
        Refusal::UnknownProducts(ids) => {
            let faults = ids.iter().map(|id| at_items(format!("product {id} does not exist or is no longer sold")));
            Problem::new(UNKNOWN_PRODUCT, "Some of the products cannot be ordered.").with_errors(faults.collect())
        }
        Refusal::OutOfStock(shortages) => {
            let faults = shortages.iter().map(|short| {
                at_items(format!(
                    "product {}: {} wanted, {} available",
                    short.product_id, short.wanted, short.available
                ))
            });
            Problem::new(OUT_OF_STOCK, "There is not enough stock; nothing was ordered.").with_errors(faults.collect())
        }
        Refusal::TotalDiffers { total, expected } => {
            let detail = format!("The order costs {total}, not {expected}. Look at the prices again.");
            Problem::new(TOTAL_DIFFERS, detail)
        }
        Refusal::ForeignCurrency => Problem::new(FOREIGN_CURRENCY, "A product is not priced in the shop's currency."),
        Refusal::TotalOutOfBounds => {
            Problem::new(TOTAL_OUT_OF_BOUNDS, "The order costs nothing, or more than can be paid.")
        }
        Refusal::Undone => {
            Problem::new(RESERVATION_UNDONE, "The pieces held for this key were given back. Use a fresh key.")
        }
    }
}

fn at_items(detail: String) -> Fault {
    Fault { field: "items".to_owned(), detail }
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::TakenOver => idempotency::in_flight(),
            PlaceError::Unavailable(unavailable) => unavailable.into(),
            PlaceError::Store(error) => error.into(),
        }
    }
}
