//! What happens by itself to orders that nobody pays, and to pieces that nobody fetches.

use plaza_tests::{
    databases::Databases,
    shop::{Customer, id_of},
    until,
};
use serde_json::{Value, json};

use crate::{other_shop, shop};

#[tokio::test]
async fn an_order_that_nobody_pays_expires_and_gives_its_stock_back() {
    let shop = other_shop();
    let product = shop.product("10.00", 5).await;
    let customer = shop.customer().await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    assert_eq!(shop.stock(product).await, 3);

    assert_eq!(customer.order_becomes(order, "cancelled").await["reason"], "expired");
    let history = customer.client.get(&format!("/api/v1/orders/{order}/history")).await.expect(200).json();
    let steps: Vec<Value> =
        history.as_array().unwrap().iter().map(|step| json!([step["status"], step["reason"], step["actor"]])).collect();
    assert_eq!(
        steps,
        [json!(["pending", null, format!("user:{}", customer.id)]), json!(["cancelled", "expired", "clock"])]
    );
    until("the stock is back", async || (shop.stock(product).await == 5).then_some(())).await;
    customer.payment_becomes(payment, "cancelled").await;
    customer.confirm(payment, "tok_ok").await.problem(409);
    customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.problem(409);
    let told = format!("SELECT data ->> 'reason' FROM outbox WHERE key = 'order-{order}' AND type = 'ORDER_CANCELLED'");
    let told = Databases::of(&shop.host).rows::<(String,)>("orders_database", &told).await;
    assert_eq!(told, [("expired".to_owned(),)]);
}

/// An order of all three pieces of a product whose reservation lapses before it is paid.
async fn lapsed() -> (Customer, i64, i64, i64) {
    let product = shop().product("10.00", 3).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 3)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    let databases = Databases::of(&shop().host);
    let over = format!(
        "UPDATE reservations SET expires_at = now() - interval '1 second'
         WHERE id IN (SELECT reservation_id FROM reservation_lines WHERE product_id = {product})"
    );
    databases.execute("products_database", &over).await;
    until("the pieces are free again", async || (shop().stock(product).await == 3).then_some(())).await;
    (customer, product, order, payment)
}

#[tokio::test]
async fn what_was_paid_for_after_its_pieces_had_gone_is_cancelled_and_paid_back() {
    let (late, product, order, payment) = lapsed().await;
    let quick = shop().customer().await;
    let sold = id_of(&quick.order(&[(product, 1)]).await);
    quick.pay(sold).await;

    late.confirm(payment, "tok_ok").await.expect(200);
    assert_eq!(late.order_becomes(order, "cancelled").await["reason"], "out_of_stock");
    until("the money is back", async || {
        let payment = late.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200).json();
        (payment["refunded"] == payment["amount"]).then_some(())
    })
    .await;
    assert_eq!(shop().stock(product).await, 2);
    assert_eq!(quick.read_order(sold).await["status"], "paid");
}

#[tokio::test]
async fn what_was_paid_for_late_is_sold_all_the_same_while_the_pieces_are_there() {
    let (late, product, order, payment) = lapsed().await;
    late.confirm(payment, "tok_ok").await.expect(200);
    late.order_becomes(order, "paid").await;
    assert_eq!(shop().stock(product).await, 0);
}

#[tokio::test]
async fn cancelling_an_order_whose_reservation_has_lapsed_gives_nothing_back_twice() {
    let (late, product, order, payment) = lapsed().await;
    late.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    late.payment_becomes(payment, "cancelled").await;
    until("products has heard of it", async || {
        let undone = format!(
            "SELECT count(*) FROM reservations r JOIN reservation_lines l ON l.reservation_id = r.id
             WHERE l.product_id = {product} AND r.status = 'undone'"
        );
        (Databases::of(&shop().host).number("products_database", &undone).await == 1).then_some(())
    })
    .await;
    assert_eq!(shop().stock(product).await, 3);
}
