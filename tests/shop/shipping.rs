//! From paid to delivered.

use plaza_tests::shop::{Customer, id_of};
use serde_json::{Value, json};

use crate::shop;

async fn paid_order() -> (Customer, i64) {
    let product = shop().product("4.00", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    (customer, order)
}

fn shipment() -> Value {
    json!({"carrier": "Mule", "tracking": "M-17"})
}

#[tokio::test]
async fn a_paid_order_is_shipped_and_delivered_and_its_history_names_who_did_what() {
    let (customer, order) = paid_order().await;
    let (admin, path) = (shop().admin().await, format!("/api/v1/orders/{order}"));
    admin.request("POST", &format!("{path}/deliver")).await.problem(409);
    let shipped = admin.post(&format!("{path}/ship"), &shipment()).await.expect(200).json();
    assert_eq!((&shipped["status"], &shipped["shipment"]), (&json!("shipped"), &shipment()));
    admin.post(&format!("{path}/ship"), &shipment()).await.problem(409);
    customer.client.request("POST", &format!("{path}/cancel")).await.problem(409);
    let delivered = admin.request("POST", &format!("{path}/deliver")).await.expect(200).json();
    assert_eq!(delivered["status"], "delivered");
    admin.request("POST", &format!("{path}/cancel")).await.problem(409);
    let history = customer.client.get(&format!("{path}/history")).await.expect(200).json();
    let steps: Vec<(i64, &str, &str)> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|step| {
            let text = |field: &str| step[field].as_str().unwrap();
            (step["version"].as_i64().unwrap(), text("status"), text("actor").split(':').next().unwrap())
        })
        .collect();
    assert_eq!(
        steps,
        [(1, "pending", "user"), (2, "paid", "payments"), (3, "shipped", "admin"), (4, "delivered", "admin")]
    );
    assert_eq!(history[0]["actor"], format!("user:{}", customer.id));
}

#[tokio::test]
async fn only_the_administrator_ships_and_only_what_is_paid() {
    let (customer, order) = paid_order().await;
    let path = format!("/api/v1/orders/{order}");
    customer.client.post(&format!("{path}/ship"), &shipment()).await.problem(403);
    customer.client.request("POST", &format!("{path}/deliver")).await.problem(403);
    shop().anyone().post(&format!("{path}/ship"), &shipment()).await.problem(401);
    let product = shop().product("4.00", 5).await;
    let pending = id_of(&customer.order(&[(product, 1)]).await);
    shop().admin().await.post(&format!("/api/v1/orders/{pending}/ship"), &shipment()).await.problem(409);
}

#[tokio::test]
async fn the_administrator_cancels_a_paid_order_and_everything_goes_back() {
    let product = shop().product("4.00", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    customer.pay(order).await;
    let path = format!("/api/v1/orders/{order}/cancel");
    let cancelled = shop().admin().await.request("POST", &path).await.expect(200).json();
    assert_eq!((&cancelled["status"], &cancelled["reason"]), (&json!("cancelled"), &json!("admin")));
    plaza_tests::until("pieces and money are back", async || {
        let payment = customer.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200).json();
        let stock = shop().stock(product).await;
        (stock == 5 && payment["refunded"] == payment["amount"]).then_some(())
    })
    .await;
}
