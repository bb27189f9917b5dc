//! What people do to an order: cancel, ship, deliver.

use kit::openapi::Problems;
use kit::{Admin, Caller, Id, Problem, Traceparent, Valid};

use super::body::{NewShipmentBody, OrderBody};
use crate::domain::change::{Actor, Change, ChangeError, Step, change_order};
use crate::domain::order::Order;
use crate::domain::status::Reason;
use crate::outbound::World;

/// Cancels an order that is pending or paid. Its stock goes back, and so does what was paid.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    tag = "orders",
    operation_id = "cancelOrder",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The order's number.")),
    responses(
        (status = 200, description = "The order, cancelled.", body = OrderBody),
        (status = 409, description = "It is shipped, delivered or cancelled already."),
        Problems
    )
)]
pub async fn cancel_order(caller: Caller, Id(id): Id, trace: Traceparent) -> Result<OrderBody, Problem> {
    changed(id, trace, |order| {
        if !caller.may_see(order.user_id) {
            return Err(ChangeError::NotFound);
        }
        let (reason, actor) = if caller.user_id == order.user_id {
            (Reason::User, Actor::User(caller.user_id))
        } else {
            (Reason::Admin, Actor::Admin(caller.user_id))
        };
        Step::plan(order, &Change::Cancel(reason), actor)
    })
    .await
}

/// Hands a paid order to a carrier.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/ship",
    tag = "orders",
    operation_id = "shipOrder",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The order's number.")),
    request_body = NewShipmentBody,
    responses(
        (status = 200, description = "The order, shipped.", body = OrderBody),
        (status = 409, description = "It is not paid."),
        Problems
    )
)]
pub async fn ship_order(
    Admin(admin): Admin,
    Id(id): Id,
    trace: Traceparent,
    Valid(shipment): Valid<NewShipmentBody>,
) -> Result<OrderBody, Problem> {
    let change = Change::Ship(shipment);
    changed(id, trace, |order| Step::plan(order, &change, Actor::Admin(admin.user_id))).await
}

/// Notes that a shipped order arrived.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/deliver",
    tag = "orders",
    operation_id = "deliverOrder",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The order's number.")),
    responses(
        (status = 200, description = "The order, delivered.", body = OrderBody),
        (status = 409, description = "It is not shipped."),
        Problems
    )
)]
pub async fn deliver_order(Admin(admin): Admin, Id(id): Id, trace: Traceparent) -> Result<OrderBody, Problem> {
    changed(id, trace, |order| Step::plan(order, &Change::Deliver, Actor::Admin(admin.user_id))).await
}

async fn changed(
    id: i64,
    Traceparent(trace): Traceparent,
    plan: impl Fn(&Order) -> Result<Step, ChangeError> + Send,
) -> Result<OrderBody, Problem> {
    let world = World::default();
    let order = kit::local(change_order(&world, id, |order| Ok(plan(order)?.traced(trace.clone())))).await?;
    Ok(order.into())
}
