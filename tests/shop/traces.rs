//! Which trace an event belongs to, with the bus in the process: that of the click on account of which it happened.

use plaza_tests::{
    databases::Databases,
    sandbox,
    shop::{Customer, fresh_key, id_of, order_body},
    trace::{fresh_trace, trace_of},
    until,
};
use serde_json::json;

use crate::shop;

/// The one trace context that a query finds, once there is a row.
async fn found(database: &str, query: &str) -> String {
    let row = until(query, async || {
        let rows = Databases::of(&shop().host).rows::<(Option<String>,)>(database, query).await;
        rows.into_iter().next()
    });
    trace_of(&row.await.0.unwrap_or_else(|| panic!("none: {query}")))
}

/// The trace of an event of this type and key.
async fn of_event(publisher: &str, kind: &str, key: &str) -> String {
    let query = format!("SELECT traceparent FROM outbox WHERE key = '{key}' AND type = '{kind}'");
    found(&format!("{publisher}_database"), &query).await
}

/// The trace in which the payment of an order was opened.
async fn of_opening(order: i64) -> String {
    found("payments_database", &format!("SELECT traceparent FROM payments WHERE order_id = {order}")).await
}

/// A customer's order of a product that few are left of by it, and the trace of the click.
async fn ordered(customer: &Customer) -> (i64, i64, String) {
    let (product, (trace, parent)) = (shop().product("10.00", 5).await, fresh_trace());
    let asking = customer.client.post("/api/v1/orders", &order_body(&[(product, 2)])).key(&fresh_key());
    (product, id_of(&asking.header("traceparent", &parent).await.expect(201).json()), trace)
}

/// Pays by this token; returns the payment and the trace of the click.
async fn paid_by(customer: &Customer, order: i64, token: &str, status: u16) -> (i64, String) {
    let (payment, (trace, parent)) = (id_of(&customer.payment_of(order).await), fresh_trace());
    let path = format!("/api/v1/payments/{payment}/confirm");
    let asking = customer.client.post(&path, &json!({"token": token})).key(&fresh_key());
    asking.header("traceparent", &parent).await.expect(status);
    (payment, trace)
}

#[tokio::test]
async fn from_the_click_that_orders_to_the_opened_payment_is_one_trace() {
    let customer = shop().customer().await;
    let (product, order, trace) = ordered(&customer).await;
    assert_eq!(of_event("orders", "ORDER_CREATED", &format!("order-{order}")).await, trace);
    assert_eq!(of_event("products", "STOCK_LOW", &format!("product-{product}")).await, trace, "through the link");
    assert_eq!(of_opening(order).await, trace, "through the event");
}

#[tokio::test]
async fn from_the_click_that_pays_to_the_paid_order_is_one_trace() {
    let customer = shop().customer().await;
    let (_, order, ordering) = ordered(&customer).await;
    let (_, paying) = paid_by(&customer, order, "tok_ok", 200).await;
    customer.order_becomes(order, "paid").await;
    let key = format!("order-{order}");
    assert_eq!(of_event("payments", "PAYMENT_SUCCEEDED", &key).await, paying);
    assert_eq!(of_event("orders", "ORDER_PAID", &key).await, paying);
    assert_eq!(of_opening(order).await, ordering, "the payment leads from the one to the other");
}

#[tokio::test]
async fn two_clicks_of_a_client_that_brings_no_trace_are_two_traces_and_each_goes_through() {
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(shop().product("10.00", 50).await, 1)]).await);
    customer.pay(order).await;
    let key = format!("order-{order}");
    let ordering = of_event("orders", "ORDER_CREATED", &key).await;
    assert_eq!(of_opening(order).await, ordering);
    let paying = of_event("payments", "PAYMENT_SUCCEEDED", &key).await;
    assert_eq!(of_event("orders", "ORDER_PAID", &key).await, paying);
    assert_ne!(ordering, paying);
}

#[tokio::test]
async fn a_payment_that_the_clock_finds_made_belongs_to_the_trace_of_the_click_that_paid() {
    let customer = shop().customer().await;
    let (_, order, _) = ordered(&customer).await;
    let (_, paying) = paid_by(&customer, order, "tok_timeout", 202).await;
    customer.order_becomes(order, "paid").await;
    let key = format!("order-{order}");
    assert_eq!(of_event("payments", "PAYMENT_SUCCEEDED", &key).await, paying);
    assert_eq!(of_event("orders", "ORDER_PAID", &key).await, paying);
}

#[tokio::test]
async fn a_payment_of_which_the_provider_tells_belongs_to_the_trace_of_the_click_that_paid() {
    let customer = shop().customer().await;
    let (_, order, _) = ordered(&customer).await;
    let (payment, paying) = paid_by(&customer, order, "tok_3ds", 202).await;
    let notice = sandbox::notice(&format!("payment-{payment}-1"), "succeeded");
    sandbox::tell(&shop().anyone(), &notice).await.expect(204);
    customer.order_becomes(order, "paid").await;
    let key = format!("order-{order}");
    assert_eq!(of_event("payments", "PAYMENT_SUCCEEDED", &key).await, paying);
    assert_eq!(of_event("orders", "ORDER_PAID", &key).await, paying);
}

#[tokio::test]
async fn money_that_goes_back_with_its_order_belongs_to_the_trace_of_the_click_that_cancelled() {
    let customer = shop().customer().await;
    let (_, order, _) = ordered(&customer).await;
    customer.pay(order).await;
    let (trace, parent) = fresh_trace();
    let cancelling = customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel"));
    cancelling.header("traceparent", &parent).await.expect(200);
    let key = format!("order-{order}");
    assert_eq!(of_event("orders", "ORDER_CANCELLED", &key).await, trace);
    assert_eq!(of_event("payments", "PAYMENT_REFUNDED", &key).await, trace);
}
