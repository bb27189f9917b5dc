//! A relay that puts the events on Kafka.

use plaza_tests::{broker, broker::Broker, kafka};

use crate::{Stage, started};

#[tokio::test]
async fn with_brokers_a_relay_publishes_to_them_and_is_each_subscribers_member_of_its_group() {
    if broker::given().is_some() {
        eprintln!("not run, for it needs brokers on which nothing is yet");
        return;
    }
    let broker = Broker::start();
    let stage = Stage::set();
    let (ada, order) = stage.order().await;
    let relay = started(stage.relay().argument("--kafka").argument(&broker.address())).await;
    ada.pay(order).await;
    stage.until_all_is_told().await;
    let told = kafka::all_of(&broker.address(), "order-events").await;
    let kinds: Vec<&str> = told.iter().map(|record| record.headers["ce_type"].as_str()).collect();
    assert!(kinds.contains(&"ORDER_CREATED") && kinds.contains(&"ORDER_PAID"), "{kinds:?}");
    assert!(told.iter().all(|record| record.key == format!("order-{order}")));
    let ended = relay.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let position = kafka::position(&broker.address(), "payments", "order-events", told[0].partition).await;
    assert!(position.is_some_and(|position| position > told[0].offset), "{position:?}");
}
