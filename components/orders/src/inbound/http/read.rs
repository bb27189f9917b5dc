//! `GET /api/v1/orders` and what is below it.

use axum::Json;
use kit::openapi::Problems;
use kit::page::Cursor;
use kit::{Caller, Faults, Id, Input, Page, Paging, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::{OrderBody, PastBody};
use super::no_such_order;
use crate::domain::order::Order;
use crate::domain::ports::{Filter, Orders};
use crate::domain::status::Status;
use crate::outbound::World;

/// Which orders a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only orders that stand here: `pending`, `paid`, `shipped`, `delivered`, `cancelled`.
    status: Option<String>,
}

impl Input for ListQuery {
    type Checked = Option<Status>;

    fn check(self, faults: &mut Faults) -> Option<Option<Status>> {
        let known = "must be pending, paid, shipped, delivered or cancelled";
        let parse = |word: String| Status::parse(&word).ok_or(known);
        Some(faults.parse_optional("status", self.status, parse))
    }
}

/// The caller's orders, newest first; an administrator sees everybody's.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    operation_id = "listOrders",
    security(("bearer" = [])),
    params(
        ListQuery,
        ("limit" = Option<i64>, Query, description = "1 to 100, 20 by default.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "From the `Link` header of the page before.")
    ),
    responses((status = 200, description = "A page; `Link` names the next one.", body = Vec<OrderBody>), Problems)
)]
pub async fn list_orders(
    caller: Caller,
    paging: Paging,
    Query(status): Query<ListQuery>,
) -> Result<Page<OrderBody>, Problem> {
    let user_id = (!caller.is_admin()).then_some(caller.user_id);
    let filter = Filter { user_id, status, after: paging.place()?, limit: paging.fetch() };
    let orders = kit::local(World::default().list(&filter)).await?;
    let page = paging.page(orders, |order| Cursor { created_at: order.created_at, id: order.id }.encode());
    Ok(page.map(OrderBody::from))
}

/// One order.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    tag = "orders",
    operation_id = "getOrder",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The order's number.")),
    responses((status = 200, description = "The order.", body = OrderBody), Problems)
)]
pub async fn get_order(caller: Caller, Id(id): Id) -> Result<OrderBody, Problem> {
    Ok(visible(&caller, id).await?.into())
}

/// The way an order went, oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}/history",
    tag = "orders",
    operation_id = "getOrderHistory",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The order's number.")),
    responses((status = 200, description = "Every version of the order.", body = Vec<PastBody>), Problems)
)]
pub async fn get_history(caller: Caller, Id(id): Id) -> Result<Json<Vec<PastBody>>, Problem> {
    visible(&caller, id).await?;
    let history = kit::local(World::default().history(id)).await?;
    Ok(Json(history.into_iter().map(PastBody::from).collect()))
}

/// The order, if the caller may see it. Another's does not exist.
async fn visible(caller: &Caller, id: i64) -> Result<Order, Problem> {
    let order = kit::local(World::default().find(id)).await?;
    order.filter(|order| caller.may_see(order.user_id)).ok_or_else(no_such_order)
}
