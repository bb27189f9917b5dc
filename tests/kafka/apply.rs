//! Subscriptions change while they are served.

use plaza_tests::{
    Shop,
    manifest::Manifest,
    shop::{id_of, order_body},
    until, workspace,
};

use crate::{killable, on};

const SUBSCRIPTION: &str = "subscribe = [\"payment-events\"]";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_subscribes_while_the_host_serves_hears_of_what_happened_before_and_who_gives_up_hears_no_more() {
    let Some(broker) = killable("who_subscribes_while_the_host_serves_hears_of_what_happened_before") else { return };
    let manifest = Manifest::of_the_shop_with(SUBSCRIPTION, "");
    let shop = Shop::on(tokio::task::block_in_place(|| on(&broker.address()).manifest(manifest.path()).start()));
    let (product, customer) = (shop.product("4.00", 100).await, shop.customer().await);
    let body = order_body(&[(product, 1)]);
    let mut orders = Vec::new();
    for number in 0..10 {
        let asking = customer.client.post("/api/v1/orders", &body).key(&format!("unheard-{number}"));
        let order = id_of(&asking.await.expect(201).json());
        let payment = id_of(&customer.payment_of(order).await);
        customer.confirm(payment, "tok_ok").await.expect(200);
        orders.push(order);
    }
    for order in &orders {
        assert_eq!(customer.read_order(*order).await["status"], "pending");
    }

    let whole = std::fs::read_to_string(workspace().join("spin.toml")).unwrap();
    std::fs::write(manifest.path(), &whole).unwrap();
    shop.host.operate(&["apply", "--yes"]).await.expect();
    for order in &orders {
        customer.order_becomes(*order, "paid").await;
    }

    std::fs::write(manifest.path(), whole.replace(SUBSCRIPTION, "")).unwrap();
    shop.host.operate(&["apply", "--yes"]).await.expect();
    until("the operator sees no subscription of `orders`", async || {
        let metrics = shop.host.control().get("/metrics").await.expect(200).text();
        let lags = metrics.lines().filter(|line| line.starts_with("plaza_events_lag{component=\"orders\""));
        (lags.count() == 0).then_some(())
    })
    .await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    customer.confirm(payment, "tok_ok").await.expect(200);
    customer.payment_becomes(payment, "succeeded").await;
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("\"level\":\"ERROR\""), "{}", ended.stderr);
}
