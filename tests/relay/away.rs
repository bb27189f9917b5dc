//! The application, or the relay's database, is away for a while.

use plaza_tests::{shop::Customer, state::signal, until, until_within};

use crate::{Stage, started, untold, word};

/// Pauses between two deliveries grow up to half a minute, and the machine is busy.
const AFTER_PAUSES: std::time::Duration = std::time::Duration::from_secs(180);

#[tokio::test]
async fn events_wait_while_the_application_is_away_and_then_arrive() {
    let stage = Stage::set();
    let (ada, order) = stage.order().await;
    let Stage { shop, databases, server } = stage;
    let (url, base) = (server.setup().state().database_owner_url(), shop.host.base().to_owned());
    let setup = shop.host.kill();
    let relay = started(plaza_tests::Setup::relay("spin.toml", &base, &url)).await;
    let line = relay.stderr().line_with("the component is not reached");
    assert!(line.contains("does not answer") && line.contains(&base), "{line}");
    until("it is told that something waits", async || (word(&relay).await == "degraded").then_some(())).await;
    assert_eq!(untold(&databases).await, 1);

    let host = started(setup).await;
    let ada = Customer { client: ada.client.reconnected(), ..ada };
    let arrived = async || (untold(&databases).await == 0).then_some(());
    until_within(AFTER_PAUSES, "the event has arrived", arrived).await;
    ada.pay(order).await;
    until("all is well", async || (word(&relay).await == "ok").then_some(())).await;
    assert!(relay.stderr().text().contains("the component is reached again"));
    drop((relay, host, server));
}

#[tokio::test]
async fn a_relay_goes_on_when_its_database_is_back() {
    let stage = Stage::set();
    let relay = started(stage.relay()).await;
    let (ada, order) = stage.order().await;
    ada.payment_of(order).await;
    signal("-KILL", stage.server.setup().state().postmaster().expect("the database runs"));
    stage.server.stderr().line_with("PostgreSQL serves again");
    until("the shop answers again", async || {
        let payments = ada.client.get(&format!("/api/v1/payments?orderId={order}")).await.status;
        let orders = ada.client.get(&format!("/api/v1/orders/{order}")).await.status;
        ((payments, orders) == (200, 200)).then_some(())
    })
    .await;
    ada.pay(order).await;
    stage.until_all_is_told().await;
    until("all is well", async || (word(&relay).await == "ok").then_some(())).await;
}
