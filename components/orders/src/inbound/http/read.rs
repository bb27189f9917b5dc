//! `GET /api/v1/orders` and what is below it.

use axum::Json;
use kit::input::{IdPath, ListInput};
use kit::page::{Cursor, PageQuery};
use kit::{Caller, Faults, Id, Input, Listing, Page, Problem};
use serde::Deserialize;
use serde_json::json;
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
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// Only orders that stand here.
    #[param(value_type = Option<Status>, inline)]
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

impl ListInput for ListQuery {
    type Place = Cursor;

    fn place(_filter: &Option<Status>, cursor: &str) -> Option<Cursor> {
        Cursor::decode(cursor)
    }
}

/// List the orders
///
/// The caller's, the newest first; an administrator sees everybody's.
#[utoipa::path(
    get,
    path = "/api/v1/orders",
    tag = "orders",
    operation_id = "listOrders",
    security(("bearer" = [])),
    params(ListQuery, PageQuery),
    responses((
        status = 200, description = "A page of orders.", body = Vec<OrderBody>, headers(("Link" = String)),
        links(
            ("getOrder" = (operation_id = "getOrder", parameters(("id" = json!("$response.body#/0/id"))))),
            ("getOrderHistory" = (operation_id = "getOrderHistory", parameters(("id" = json!("$response.body#/0/id"))))),
            ("cancelOrder" = (operation_id = "cancelOrder", parameters(("id" = json!("$response.body#/0/id"))))),
            ("shipOrder" = (operation_id = "shipOrder", parameters(("id" = json!("$response.body#/0/id"))))),
            ("listPayments" = (operation_id = "listPayments", parameters(("orderId" = json!("$response.body#/0/id")))))
        )
    ))
)]
pub async fn list_orders(
    caller: Caller,
    Listing(status, paging): Listing<ListQuery>,
) -> Result<Page<OrderBody>, Problem> {
    let user_id = (!caller.is_admin()).then_some(caller.user_id);
    let filter = Filter { user_id, status, after: paging.after, limit: paging.fetch() };
    let orders = kit::local(World::default().list(&filter)).await?;
    let page = paging.page(orders, |order| Cursor { created_at: order.created_at, id: order.id }.encode());
    Ok(page.map(OrderBody::from))
}

/// Read an order
///
/// Its owner and administrators may.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}",
    tag = "orders",
    operation_id = "getOrder",
    security(("bearer" = [])),
    params(IdPath),
    responses((
        status = 200, description = "The order.", body = OrderBody, headers(("ETag" = String)),
        links(
            ("getOrderHistory" = (operation_id = "getOrderHistory", parameters(("id" = json!("$response.body#/id"))))),
            ("cancelOrder" = (operation_id = "cancelOrder", parameters(("id" = json!("$response.body#/id"))))),
            ("listPayments" = (operation_id = "listPayments", parameters(("orderId" = json!("$response.body#/id")))))
        )
    ))
)]
pub async fn get_order(caller: Caller, Id(id): Id) -> Result<OrderBody, Problem> {
    Ok(visible(&caller, id).await?.into())
}

/// Read the way of an order
///
/// Every version of it, the oldest first. Its owner and administrators may.
#[utoipa::path(
    get,
    path = "/api/v1/orders/{id}/history",
    tag = "orders",
    operation_id = "getOrderHistory",
    security(("bearer" = [])),
    params(IdPath),
    responses((status = 200, description = "Every version of the order.", body = Vec<PastBody>))
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
