//! `GET /api/v1/payments` and what is below it.

use kit::input::{IdPath, ListInput, number_from_1};
use kit::page::{Cursor, PageQuery};
use kit::{Caller, Faults, Id, Input, Listing, Page, Problem};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::body::PaymentBody;
use super::no_such_payment;
use crate::domain::ports::{Filter, Payments};
use crate::outbound::World;

/// Which payments a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only the payment of this order.
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

/// List the payments
///
/// The caller's, the newest first; an administrator sees everybody's. The payment of an order is opened a moment after the
/// order was placed.
#[utoipa::path(
    get,
    path = "/api/v1/payments",
    tag = "payments",
    operation_id = "listPayments",
    security(("bearer" = [])),
    params(ListQuery, PageQuery),
    responses((
        status = 200, description = "A page of payments.", body = Vec<PaymentBody>, headers(("Link" = String)),
        links(
            ("getPayment" = (operation_id = "getPayment", parameters(("id" = json!("$response.body#/0/id"))))),
            ("confirmPayment" = (
                operation_id = "confirmPayment",
                parameters(("id" = json!("$response.body#/0/id"))),
                request_body = json!({"token": "tok_ok"})
            )),
            ("declinePayment" = (
                operation_id = "confirmPayment",
                parameters(("id" = json!("$response.body#/0/id"))),
                request_body = json!({"token": "tok_declined"})
            )),
            ("refundPayment" = (operation_id = "refundPayment", parameters(("id" = json!("$response.body#/0/id")))))
        )
    ))
)]
pub async fn list_payments(
    caller: Caller,
    Listing(order_id, paging): Listing<ListQuery>,
) -> Result<Page<PaymentBody>, Problem> {
    let user_id = (!caller.is_admin()).then_some(caller.user_id);
    let filter = Filter { user_id, order_id, after: paging.after, limit: paging.fetch() };
    let payments = kit::local(World::default().list(&filter)).await?;
    let page = paging.page(payments, |row| Cursor { created_at: row.created_at, id: row.id }.encode());
    Ok(page.map(PaymentBody::from))
}

/// Read a payment
///
/// Its owner and administrators may.
#[utoipa::path(
    get,
    path = "/api/v1/payments/{id}",
    tag = "payments",
    operation_id = "getPayment",
    security(("bearer" = [])),
    params(IdPath),
    responses((
        status = 200, description = "The payment.", body = PaymentBody, headers(("ETag" = String)),
        links(
            ("confirmPayment" = (
                operation_id = "confirmPayment",
                parameters(("id" = json!("$response.body#/id"))),
                request_body = json!({"token": "tok_ok"})
            )),
            ("getOrder" = (operation_id = "getOrder", parameters(("id" = json!("$response.body#/orderId")))))
        )
    ))
)]
pub async fn get_payment(caller: Caller, Id(id): Id) -> Result<PaymentBody, Problem> {
    let payment = kit::local(World::default().find(id)).await?;
    let visible = payment.filter(|payment| caller.may_see(payment.user_id));
    visible.map(PaymentBody::from).ok_or_else(no_such_payment)
}
