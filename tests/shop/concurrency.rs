//! Many at once.

use std::collections::BTreeSet;

use futures::future::join_all;
use plaza_tests::shop::{fresh_key, id_of, order_body};
use serde_json::json;

use crate::shop;

#[tokio::test]
async fn two_hundred_orders_for_the_last_ten_pieces_sell_ten() {
    let product = shop().product("9.99", 10).await;
    let customer = shop().customer().await;
    let lines = [(product, 1)];
    let answers = join_all((0..200).map(|_| customer.try_order(&lines))).await;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.problem(409);
    }
    assert_eq!(sold, 10);
    assert_eq!(shop().stock(product).await, 0);
}

#[tokio::test]
async fn equal_keys_make_one_order() {
    let product = shop().product("9.99", 100).await;
    let customer = shop().customer().await;
    let (key, body) = (fresh_key(), order_body(&[(product, 1)]));
    let answers =
        join_all((0..50).map(|_| async { customer.client.post("/api/v1/orders", &body).key(&key).await })).await;
    let mut orders = BTreeSet::new();
    for answer in answers {
        match answer.status {
            201 => drop(orders.insert(id_of(&answer.json()))),
            _ => drop(answer.problem(409)),
        }
    }
    assert_eq!(orders.len(), 1);
    assert_eq!(shop().stock(product).await, 99);
}

#[tokio::test]
async fn of_many_registrations_of_one_address_one_succeeds() {
    let body = json!({"name": "Ada Lovelace", "email": plaza_tests::shop::fresh_email(), "password": plaza_tests::shop::PASSWORD});
    let anyone = shop().anyone();
    let answers = join_all((0..20).map(|_| async { anyone.post("/api/v1/users", &body).await.status })).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
}

#[tokio::test]
async fn paying_and_cancelling_at_once_ends_in_one_of_both_with_the_money_right() {
    let product = shop().product("9.99", 100).await;
    let customer = shop().customer().await;
    for _ in 0..10 {
        let order = id_of(&customer.order(&[(product, 1)]).await);
        let payment = id_of(&customer.payment_of(order).await);
        let cancel = format!("/api/v1/orders/{order}/cancel");
        tokio::join!(customer.confirm(payment, "tok_ok"), async { customer.client.request("POST", &cancel).await },);
        let path = format!("/api/v1/payments/{payment}");
        plaza_tests::until("order and payment agree", async || {
            let order = customer.read_order(order).await;
            let payment = customer.client.get(&path).await.expect(200).json();
            let refunded = payment["refunded"] == payment["amount"];
            match (order["status"].as_str(), payment["status"].as_str()) {
                (Some("paid"), Some("succeeded")) => Some(()),
                (Some("cancelled"), Some("cancelled")) => Some(()),
                (Some("cancelled"), Some("succeeded")) if refunded => Some(()),
                _ => None,
            }
        })
        .await;
    }
}
