//! `GET /api/v1/payments` and what is below it.

use kit::openapi::Problems;
use kit::page::Cursor;
use kit::{Caller, Faults, Id, Input, Page, Paging, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

use super::body::PaymentBody;
use super::no_such_payment;
use crate::domain::ports::{Filter, Payments};
use crate::outbound::World;

/// Which payments a list shows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Only the payment of this order.
    #[param(value_type = Option<i64>)]
    order_id: Option<String>,
}

impl Input for ListQuery {
    type Checked = Option<i64>;

    fn check(self, faults: &mut Faults) -> Option<Option<i64>> {
        let parse = |text: String| text.parse::<i64>().map_err(|_| "must be an order's number");
        Some(faults.parse_optional("orderId", self.order_id, parse))
    }
}

/// The caller's payments, newest first; an administrator sees everybody's.
#[utoipa::path(
    get,
    path = "/api/v1/payments",
    tag = "payments",
    operation_id = "listPayments",
    security(("bearer" = [])),
    params(
        ListQuery,
        ("limit" = Option<i64>, Query, description = "1 to 100, 20 by default.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "From the `Link` header of the page before.")
    ),
    responses((status = 200, description = "A page; `Link` names the next one.", body = Vec<PaymentBody>), Problems)
)]
pub async fn list_payments(
    caller: Caller,
    paging: Paging,
    Query(order_id): Query<ListQuery>,
) -> Result<Page<PaymentBody>, Problem> {
    let user_id = (!caller.is_admin()).then_some(caller.user_id);
    let filter = Filter { user_id, order_id, after: paging.place()?, limit: paging.fetch() };
    let payments = kit::local(World::default().list(&filter)).await?;
    let page = paging.page(payments, |row| Cursor { created_at: row.created_at, id: row.id }.encode());
    Ok(page.map(PaymentBody::from))
}

/// One payment.
#[utoipa::path(
    get,
    path = "/api/v1/payments/{id}",
    tag = "payments",
    operation_id = "getPayment",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The payment's number.")),
    responses((status = 200, description = "The payment.", body = PaymentBody), Problems)
)]
pub async fn get_payment(caller: Caller, Id(id): Id) -> Result<PaymentBody, Problem> {
    let payment = kit::local(World::default().find(id)).await?;
    let visible = payment.filter(|payment| caller.may_see(payment.user_id));
    visible.map(PaymentBody::from).ok_or_else(no_such_payment)
}
