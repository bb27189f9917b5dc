//! What people do to an order: cancel, ship, deliver.

use kit::input::IdPath;
use kit::{ActingAdmin, Caller, DEACTIVATED, Id, Problem, Traceparent, Valid, refusals};
use serde_json::json;

use super::ORDER_STATUS;
use super::body::{NewShipmentBody, OrderBody};
use crate::domain::change::{Actor, Change, ChangeError, Step, change_order};
use crate::domain::order::Order;
use crate::domain::status::Reason;
use crate::outbound::World;

refusals! {
    /// Why an order stays where it is.
    ChangeRefusals: ORDER_STATUS
}

refusals! {
    /// Why an order is not cancelled.
    CancelRefusals: ORDER_STATUS, DEACTIVATED
}

/// Cancel an order
///
/// One that is pending or paid. Its stock goes back, and so does what was paid. Its owner and administrators may.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/cancel",
    tag = "orders",
    operation_id = "cancelOrder",
    security(("bearer" = [])),
    params(IdPath),
    responses(
        (status = 200, description = "The order, cancelled.", body = OrderBody, headers(("ETag" = String))),
        CancelRefusals
    )
)]
pub async fn cancel_order(caller: Caller, Id(id): Id, trace: Traceparent) -> Result<OrderBody, Problem> {
    let caller = caller.as_of_now::<World>().await?;
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

/// Hand an order to a carrier
///
/// One that is paid. For administrators.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/ship",
    tag = "orders",
    operation_id = "shipOrder",
    security(("bearer" = ["admin"])),
    params(IdPath),
    request_body = NewShipmentBody,
    responses(
        (
            status = 200, description = "The order, shipped.", body = OrderBody, headers(("ETag" = String)),
            links(("deliverOrder" = (operation_id = "deliverOrder", parameters(("id" = json!("$response.body#/id"))))))
        ),
        ChangeRefusals
    )
)]
pub async fn ship_order(
    admin: ActingAdmin<World>,
    Id(id): Id,
    trace: Traceparent,
    Valid(shipment): Valid<NewShipmentBody>,
) -> Result<OrderBody, Problem> {
    let change = Change::Ship(shipment);
    changed(id, trace, |order| Step::plan(order, &change, Actor::Admin(admin.0.user_id))).await
}

/// Note that an order arrived
///
/// One that is shipped. For administrators.
#[utoipa::path(
    post,
    path = "/api/v1/orders/{id}/deliver",
    tag = "orders",
    operation_id = "deliverOrder",
    security(("bearer" = ["admin"])),
    params(IdPath),
    responses(
        (status = 200, description = "The order, delivered.", body = OrderBody, headers(("ETag" = String))),
        ChangeRefusals
    )
)]
pub async fn deliver_order(admin: ActingAdmin<World>, Id(id): Id, trace: Traceparent) -> Result<OrderBody, Problem> {
    changed(id, trace, |order| Step::plan(order, &Change::Deliver, Actor::Admin(admin.0.user_id))).await
}

async fn changed(
    id: i64,
    Traceparent(traceparent): Traceparent,
    plan: impl Fn(&Order) -> Result<Step, ChangeError> + Send,
) -> Result<OrderBody, Problem> {
    let world = World { traceparent, ..World::default() };
    let order = kit::local(change_order(&world, id, plan)).await?;
    Ok(order.into())
}
