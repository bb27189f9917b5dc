//! What the operator sees of it.

use plaza_tests::{shop::id_of, until};

use crate::{metric, shared};

#[tokio::test]
async fn the_operator_sees_what_was_taken_and_how_far_behind_a_subscriber_is() {
    let host = &shared().shop.host;
    let taken =
        async || metric(host, "plaza_events_taken_total", "component=\"payments\",topic=\"order-events\"").await;
    let before = taken().await;
    let (product, customer) = (shared().shop.product("2.00", 10).await, shared().shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.payment_of(order).await;
    until("the event is counted", async || (taken().await > before).then_some(())).await;
    until("the brokers are said to be there", async || {
        let metrics = host.control().get("/metrics").await.expect(200).text();
        metrics.lines().any(|line| line == "plaza_bus_up 1").then_some(())
    })
    .await;
    until("there is a line for each partition", async || {
        let metrics = host.control().get("/metrics").await.expect(200).text();
        let lags = metrics.lines().filter(|line| line.starts_with("plaza_events_lag{component=\"payments\""));
        (lags.count() >= 8).then_some(())
    })
    .await;
    assert_eq!(host.status().await["events"], "ok");
}
