//! What an operator sees of a relay.

use plaza_tests::until;

use crate::{Stage, started, word};

#[tokio::test]
async fn an_operator_sees_that_it_lives_what_it_does_and_what_waits() {
    let stage = Stage::set();
    let relay = started(stage.relay()).await;
    let (ada, order) = stage.order().await;
    ada.pay(order).await;
    stage.until_all_is_told().await;

    let anybody = relay.client().at(relay.control_address());
    assert_eq!(anybody.get("/health/live").await.expect(200).json()["status"], "ok");
    until("all is well", async || (word(&relay).await == "ok").then_some(())).await;
    for path in ["/status", "/metrics", "/dead-letters", "/components/orders/deploy", "/nothing"] {
        anybody.get(path).await.expect(401);
    }

    let lines = [
        "plaza_component_reached{component=\"payments\"} 1",
        "plaza_outbox_waiting{component=\"orders\"} 0",
        "plaza_events_parked{component=\"payments\",topic=\"order-events\"} 0",
        "plaza_events_dead_letters_total{component=\"orders\",topic=\"payment-events\"} 0",
        "plaza_bus_up 1",
    ];
    // What waits is counted every second.
    let metrics = until("the metrics say all of it", async || {
        let metrics = relay.control().get("/metrics").await.expect(200).text();
        lines.iter().all(|line| metrics.lines().any(|found| found == *line)).then_some(metrics)
    })
    .await;
    let taken = metrics.lines().find_map(|line| {
        line.strip_prefix("plaza_events_taken_total{component=\"orders\",topic=\"payment-events\"} ")?
            .parse::<u64>()
            .ok()
    });
    assert!(taken > Some(0), "{metrics}");

    let status = relay.operate(&["status"]).await.expect().text;
    assert!(status.starts_with(&format!("relays to {}\n", stage.shop.host.base())), "{status}");
    for words in ["outbox of", "orders", "subscriber", "payment-events"] {
        assert!(status.contains(words), "no {words} in {status}");
    }
    let printed = relay.stdout().text();
    for words in ["shop is relayed to http://", "publishes from outbox", "hears of order-events", "ticks every 5 s"] {
        assert!(printed.contains(words), "no {words} in {printed}");
    }
    assert!(!relay.stderr().text().contains("no route of the manifest"), "{}", relay.stderr().text());
}
