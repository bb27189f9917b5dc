//! `GET /api/v1/notifications`.

use kit::input::{ListInput, number_from_1};
use kit::page::{Cursor, PageQuery};
use kit::{Caller, Faults, Input, Listing, Page, Problem};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::body::NotificationBody;
use crate::domain::ports::{Filter, Notifications};
use crate::outbound::Sql;

/// Which notifications a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only those about this order.
    #[param(value_type = Option<i64>, minimum = 1)]
    order_id: Option<String>,
}

impl Input for ListQuery {
    type Checked = Option<i64>;

    fn check(self, faults: &mut Faults) -> Option<Option<i64>> {
        let parse = |text: String| number_from_1(&text).ok_or("must be an order's number, from 1");
        Some(faults.parse_optional("orderId", self.order_id, parse))
    }
}

impl ListInput for ListQuery {
    type Place = Cursor;

    fn place(_filter: &Option<i64>, cursor: &str) -> Option<Cursor> {
        Cursor::decode(cursor)
    }
}

/// List the notifications
///
/// The caller's, the newest first; an administrator sees everybody's. Each comes up a moment after what it tells of.
#[utoipa::path(
    get,
    path = "/api/v1/notifications",
    tag = "notifications",
    operation_id = "listNotifications",
    security(("bearer" = [])),
    params(ListQuery, PageQuery),
    responses((
        status = 200, description = "A page of notifications.", body = Vec<NotificationBody>, headers(("Link" = String)),
        links(("getOrder" = (operation_id = "getOrder", parameters(("id" = json!("$response.body#/0/orderId"))))))
    ))
)]
pub async fn list_notifications(
    caller: Caller,
    Listing(order_id, paging): Listing<ListQuery>,
) -> Result<Page<NotificationBody>, Problem> {
    let user_id = (!caller.is_admin()).then_some(caller.user_id);
    let filter = Filter { user_id, order_id, after: paging.after, limit: paging.fetch() };
    let notifications = kit::local(Sql.list(&filter)).await?;
    let page = paging.page(notifications, |row| Cursor { created_at: row.created_at, id: row.id }.encode());
    Ok(page.map(NotificationBody::from))
}
