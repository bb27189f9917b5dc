//! From the commit of an order to the commit of what its event does to the payments, over either bus.

use std::{collections::HashMap, fmt, time::Duration};

use futures::future::join_all;
use plaza_tests::{Setup, Shop, blow::kill_database, broker::Broker, databases::Databases, until, until_within};
use tokio::time::{Instant, interval_at};

use crate::{
    connection::{Connection, Protocol},
    load::{Load, Rate, Target},
    orders,
};

/// How the times come about.
pub const CAPTION: &str = "From commit to effect: the times at which PostgreSQL committed the order, with its outbox row, and the inbox \
    row with the payment (`track_commit_timestamp`; one clock, in steps of 1 µs, read just before the commit is flushed). The high \
    rate is what the connections can place.";

/// The modest rate, in orders a second, and over how many connections they come.
const RATE: u32 = 50;
const CONNECTIONS: u32 = 10;

/// No shorter, for the sake of the p99.
const LEAST_TIME: Duration = Duration::from_secs(20);

/// How long the last effect may take.
const PATIENCE: Duration = Duration::from_secs(120);

const ORDERS: &str = "orders_database";
const PAYMENTS: &str = "payments_database";

/// What carries the events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Bus {
    /// The host itself.
    InProcess,
    /// A broker on the same machine.
    Kafka,
}

/// Measures at the modest rate, and then at the highest.
pub async fn measure(load: &Load, bus: Bus) -> [Rate; 2] {
    let broker = (bus == Bus::Kafka).then(|| tokio::task::block_in_place(Broker::start));
    let mut setup = Setup::shop();
    if let Some(broker) = &broker {
        setup = setup.argument("--kafka").argument(&broker.address());
    }
    let shop = Shop::on(tokio::task::block_in_place(|| setup.start()));
    let databases = Databases::of(&shop.host);
    databases.execute("postgres", "ALTER SYSTEM SET track_commit_timestamp = on").await;
    // It takes effect when the server starts.
    kill_database(&shop.host).await;
    until("the shop is ready", async || (shop.anyone().get("/health/ready").await.status == 200).then_some(())).await;
    let target = orders::of_shop(&shop).await;

    let time = load.time.max(LEAST_TIME);
    let none = last_event(&databases).await;
    place_steadily(&target, time).await;
    let modest = times_since(&databases, none).await;
    let before = last_event(&databases).await;
    let placed = load.measure(target).await;
    let high = times_since(&databases, before).await;
    shop.host.stop();
    [Rate::of(modest.len() as f64 / time.as_secs_f64(), modest), Rate::of(placed.per_second, high)]
}

async fn place_steadily(target: &Target, time: Duration) {
    let (start, pause) = (Instant::now(), Duration::from_secs(1) / RATE);
    let place = |number: u32| async move {
        let mut connection = Connection::open(target.address(), Protocol::Http1).await.expect("it listens");
        let mut ticks = interval_at(start + number * pause, CONNECTIONS * pause);
        while ticks.tick().await < start + time {
            target.ask(&mut connection).await.expect("a good answer");
            assert!(connection.ready().await, "a connection that has answered stays open");
        }
    };
    join_all((0..CONNECTIONS).map(place)).await;
}

async fn last_event(databases: &Databases) -> i64 {
    databases.number(ORDERS, "SELECT coalesce(max(seq), 0) FROM outbox").await
}

/// How long each order placed after this event took to have its effect, once all of them have.
async fn times_since(databases: &Databases, event: i64) -> Vec<Duration> {
    // The row of the outbox is written again when it is marked; that of the history, of the same statement, never is.
    let committed = format!(
        "SELECT event.id::text, (extract(epoch FROM pg_xact_commit_timestamp(step.xmin)) * 1000000)::bigint
         FROM outbox AS event JOIN order_history AS step ON event.key = 'order-' || step.order_id AND step.version = 1
         WHERE event.type = 'ORDER_CREATED' AND event.seq > {event}"
    );
    let committed: Vec<(String, i64)> = databases.rows(ORDERS, &committed).await;
    assert!(!committed.is_empty(), "orders were placed");
    let effects =
        "SELECT event_id::text, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint FROM inbox";
    until_within(PATIENCE, "every event has had its effect", async || {
        let had: HashMap<String, i64> = databases.rows(PAYMENTS, effects).await.into_iter().collect();
        let times = committed.iter().map(|(id, began)| {
            let took_us = had.get(id)? - began;
            Some(Duration::from_micros(u64::try_from(took_us).expect("the effect comes after its cause")))
        });
        times.collect::<Option<Vec<Duration>>>()
    })
    .await
}

impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InProcess => "in the process",
            Self::Kafka => "over Kafka",
        })
    }
}
