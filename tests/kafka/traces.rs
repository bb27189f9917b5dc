//! The trace of a click, through every topic.

use plaza_tests::{
    databases::Databases,
    kafka::Record,
    shop::{fresh_key, id_of, order_body},
    trace::{fresh_trace, trace_of},
};
use serde_json::json;

use crate::{outside::messages_of, shared};

/// The traces of an order's events: of `order-events`, then of `payment-events`, each with its type.
async fn told(order: i64) -> Vec<(String, String)> {
    let key = format!("order-{order}");
    let mut messages = messages_of("order-events", &key, 2).await;
    messages.extend(messages_of("payment-events", &key, 1).await);
    messages.iter().map(kind_and_trace).collect()
}

fn kind_and_trace(message: &Record) -> (String, String) {
    (message.headers["ce_type"].clone(), trace_of(&message.headers["traceparent"]))
}

/// The trace in which the payment of an order was opened.
async fn of_opening(order: i64) -> String {
    let query = format!("SELECT traceparent FROM payments WHERE order_id = {order}");
    let rows = Databases::of(&shared().shop.host).rows::<(String,)>("payments_database", &query).await;
    trace_of(&rows.first().expect("a payment").0)
}

#[tokio::test]
async fn where_a_client_orders_and_pays_in_one_trace_all_from_click_to_paid_belongs_to_it() {
    let shop = &shared().shop;
    // Few are left by it, so that the products have something to tell as well.
    let (product, customer) = (shop.product("19.99", 5).await, shop.customer().await);
    let (trace, parent) = fresh_trace();
    let asking = customer.client.post("/api/v1/orders", &order_body(&[(product, 2)])).key(&fresh_key());
    let order = id_of(&asking.header("traceparent", &parent).await.expect(201).json());
    let path = format!("/api/v1/payments/{}/confirm", id_of(&customer.payment_of(order).await));
    let paying = customer.client.post(&path, &json!({"token": "tok_ok"})).key(&fresh_key());
    paying.header("traceparent", &parent).await.expect(200);
    customer.order_becomes(order, "paid").await;

    let kinds = ["ORDER_CREATED", "ORDER_PAID", "PAYMENT_SUCCEEDED"];
    assert_eq!(told(order).await, kinds.map(|kind| (kind.to_owned(), trace.clone())));
    assert_eq!(of_opening(order).await, trace);
    let low = messages_of("product-events", &format!("product-{product}"), 1).await.remove(0);
    assert_eq!(kind_and_trace(&low), ("STOCK_LOW".to_owned(), trace), "through the link");
}

#[tokio::test]
async fn without_one_from_order_to_opened_payment_is_a_trace_and_from_confirming_to_paid_another() {
    let shop = &shared().shop;
    let (product, customer) = (shop.product("19.99", 50).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 2)]).await);
    customer.pay(order).await;
    let told = told(order).await;
    let [(_, created), (_, paid), (_, succeeded)] = &told[..] else { panic!("three events: {told:?}") };
    assert_eq!(&of_opening(order).await, created);
    assert_eq!(succeeded, paid);
    assert_ne!(created, paid);
}
