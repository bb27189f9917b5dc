//! The shop with its events on Apache Kafka: a real broker, seen from both sides, and killed.
//!
//! Tests that kill nothing share one shop and one broker; that broker is the one of `KAFKA_BROKERS` where this is set, and then
//! what is on the shop's topics there is thrown away first.

use std::sync::LazyLock;

use plaza_tests::{Host, Setup, Shop, broker, broker::Broker, kafka};

mod apply;
mod faults;
mod halves;
mod keys;
mod lag;
mod large;
mod letters;
mod outside;
mod paused;
mod replay;
mod settings;
mod traces;

/// What the shop's events stand on.
const TOPICS: [&str; 3] = ["order-events", "payment-events", "product-events"];

/// A shop that outlives the tests, and the brokers that it is told of.
struct Shared {
    shop: Shop,
    brokers: String,
    /// Kept running.
    _broker: Option<Broker>,
}

/// The shop of the tests that kill nothing.
fn shared() -> &'static Shared {
    static SHARED: LazyLock<Shared> = LazyLock::new(|| {
        let (brokers, broker) = match broker::given() {
            Some(brokers) => {
                kafka::clear(&brokers, &["orders", "payments", "products", "notifications"], &TOPICS);
                (brokers, None)
            }
            None => {
                let broker = Broker::start();
                (broker.address(), Some(broker))
            }
        };
        let shop = Shop::on(on(&brokers).start());
        Shared { shop, brokers, _broker: broker }
    });
    &SHARED
}

/// A broker that a test may kill; none where the tests were given some, which are not theirs to kill.
fn killable(test: &str) -> Option<Broker> {
    if broker::given().is_some() {
        eprintln!(
            "{test}: not run, for it kills brokers or starts afresh, and those of KAFKA_BROKERS are to be left alone"
        );
        return None;
    }
    Some(Broker::start())
}

/// A shop whose events are on these brokers.
fn on(brokers: &str) -> Setup {
    Setup::shop().argument("--kafka").argument(brokers)
}

/// The sum of a metric over all its labels that contain `label`.
async fn metric(host: &Host, name: &str, label: &str) -> f64 {
    let text = host.control().get("/metrics").await.expect(200).text();
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// The number by which a test knows an event of [`plaza_tests::letters`].
fn number(record: &kafka::Record) -> i64 {
    let value: serde_json::Value = serde_json::from_str(&record.value).expect("JSON");
    value["data"]["number"].as_i64().expect("a number")
}
