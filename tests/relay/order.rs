//! What the relay is for.

use plaza_tests::until;
use serde_json::json;

use crate::Stage;

#[tokio::test]
async fn an_order_has_no_payment_before_there_is_a_relay_and_is_paid_and_told_of_with_one() {
    let stage = Stage::set();
    let (ada, order) = stage.order().await;
    // No lease means that nobody will ever do it, however long one waits.
    stage.expect_nothing_relayed().await;
    let list = ada.client.get(&format!("/api/v1/payments?orderId={order}")).await.expect(200).json();
    assert_eq!(list, json!([]));

    let relay = stage.relay().start();
    let paid = ada.pay(order).await;
    assert_eq!(paid["totalAmount"], json!(39.98));
    until("she is told of both", async || {
        let told = ada.client.get(&format!("/api/v1/notifications?orderId={order}")).await.expect(200).json();
        let told: Vec<&str> = told.as_array()?.iter().filter_map(|one| one["type"].as_str()).collect();
        (told == ["order_paid", "order_placed"]).then_some(())
    })
    .await;
    stage.until_all_is_told().await;

    // What one service does on the word of another comes back the same way.
    ada.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    until("the money is back", async || {
        let payment = ada.payment_of(order).await;
        (payment["refunded"] == payment["amount"]).then_some(())
    })
    .await;

    let ended = relay.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test]
async fn the_clock_reaches_components_through_the_relay() {
    let stage = Stage::with(|setup| setup.variable("order_ttl_seconds=1"));
    let (ada, order) = stage.order().await;
    stage.expect_nothing_relayed().await;
    let _relay = stage.relay().start();
    let expired = ada.order_becomes(order, "cancelled").await;
    assert_eq!(expired["status"], "cancelled");
}
