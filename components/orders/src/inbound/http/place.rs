//! `POST /api/v1/orders`.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use kit::idempotency::{self, Answer, Claim, Claimed, IdempotencyKey};
use kit::input::Hashed;
use kit::openapi::Problems;
use kit::{Caller, Fault, Problem, Traceparent, settings, uuid};

use super::body::{NewOrder, NewOrderBody, OrderBody};
use crate::domain::order::Order;
use crate::domain::place::{Ids, PlaceError, Refusal, Wish, place};
use crate::outbound::sql::DATABASE;
use crate::outbound::{KeyIds, World};

/// How long an order waits for its payment, unless the variable `order_ttl_seconds` says otherwise.
const DEFAULT_TTL_SECONDS: u32 = 30 * 60;
/// How long one attempt may take: as long as the host lets a request to this component run, and a little more.
const LEASE_SECONDS: i64 = 12;

/// Places an order. Its pieces are held until it is paid or its deadline passes.
#[utoipa::path(
    post,
    path = "/api/v1/orders",
    tag = "orders",
    operation_id = "placeOrder",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A fresh UUID for each new order; the same one when you repeat it.")),
    request_body = NewOrderBody,
    responses(
        (status = 201, description = "The order, pending. A repetition is marked `Idempotent-Replayed: true`.", body = OrderBody),
        (status = 409, description = "Too little stock, another total than expected, or the key is in use."),
        Problems
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
        return Err(Problem::forbidden("`userId` must be your own, or be left out."));
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
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match refusal {
        Refusal::NotActive => Problem::forbidden("Your account is not active, so it cannot order."),
        Refusal::UnknownProducts(ids) => {
            let faults = ids.iter().map(|id| at_items(format!("product {id} does not exist or is no longer sold")));
            Problem::named(unprocessable, "unknown-product", "Some of the products cannot be ordered.")
                .with_errors(faults.collect())
        }
        Refusal::OutOfStock(shortages) => {
            let faults = shortages.iter().map(|short| {
                at_items(format!(
                    "product {}: {} wanted, {} available",
                    short.product_id, short.wanted, short.available
                ))
            });
            Problem::conflict("out-of-stock", "There is not enough stock; nothing was ordered.")
                .with_errors(faults.collect())
        }
        Refusal::TotalDiffers { total, expected } => {
            let detail = format!("The order costs {total}, not {expected}. Look at the prices again.");
            Problem::conflict("total-differs", detail)
        }
        Refusal::ForeignCurrency => {
            Problem::named(unprocessable, "foreign-currency", "A product is not priced in the shop's currency.")
        }
        Refusal::TotalOutOfBounds => {
            Problem::named(unprocessable, "total-out-of-bounds", "The order costs nothing, or more than can be paid.")
        }
        Refusal::Undone => {
            Problem::conflict("reservation-undone", "The pieces held for this key were given back. Use a fresh key.")
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
