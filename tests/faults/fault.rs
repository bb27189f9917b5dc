//! What befalls broker, host, database and subscribers.

use std::{
    fmt,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use plaza_tests::{Shop, artifact::built, blow::kill_database, broker::Broker, databases::Databases, until_within};

use crate::{PATIENCE, World, tell};

/// Who hears of events, each replaced in its turn.
const SUBSCRIBERS: [&str; 4] = ["payments", "orders", "products", "notifications"];

/// Orders between two faults, in a long run.
const ORDERS_PER_FAULT: usize = 1_000;

/// Orders that are accepted while the broker is away.
const ACCEPTED_WITHOUT_BROKER: usize = 20;

/// Something that goes wrong, or might.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The broker ends without warning, and is started again after some more orders.
    BrokerKilled,
    /// The host ends without warning and is started again.
    HostKilled,
    /// The database server ends without warning; the host starts it again.
    DatabaseKilled,
    /// A subscriber is deployed anew, in the same bytes.
    SubscriberReplaced,
}

/// All of them, in the order in which they come.
pub const FAULTS: [Fault; 4] =
    [Fault::BrokerKilled, Fault::HostKilled, Fault::DatabaseKilled, Fault::SubscriberReplaced];

/// One that has happened.
pub struct Fallen {
    /// What it was.
    pub fault: Fault,
    /// From the blow until what was hit answered again.
    pub away: Duration,
    /// When that was, by the clock of the database, as it writes it.
    pub back: String,
}

/// Faults to come.
pub struct Faults {
    rounds: usize,
    every: usize,
}

impl Faults {
    /// Each kind as often as the others, spread over so many orders.
    pub fn planned(orders: usize) -> Self {
        let rounds = (orders / (FAULTS.len() * ORDERS_PER_FAULT)).max(1);
        Self { rounds, every: orders / (rounds * FAULTS.len() + 1) }
    }

    /// How many of the orders are to come after the last of them, to show how things go on.
    pub fn held_back(&self) -> usize {
        self.every / 2
    }

    /// Lets them fall, each after so many more orders were paid or cancelled; returns the shop that is left.
    pub async fn fall(self, world: &World, mut shop: Shop, broker: &mut Broker) -> (Shop, Vec<Fallen>) {
        let mut all = Vec::new();
        for number in 0..self.rounds * FAULTS.len() {
            world.finished((number + 1) * self.every).await;
            let (fault, since) = (FAULTS[number % FAULTS.len()], Instant::now());
            match fault {
                Fault::BrokerKilled => broker_killed(world, broker).await,
                Fault::HostKilled => shop = tokio::task::block_in_place(|| shop.killed_and_started_again()),
                Fault::DatabaseKilled => kill_database(&shop.host).await,
                Fault::SubscriberReplaced => {
                    replaced(&shop, SUBSCRIBERS[number / FAULTS.len() % SUBSCRIBERS.len()]).await
                }
            }
            let away = since.elapsed();
            let now = Databases::of(&shop.host).rows("postgres", "SELECT clock_timestamp()::text").await;
            let (back,): (String,) = now.into_iter().next().expect("one row");
            tell(&format!("{back}: {fault}, {} orders accepted", world.accepted()));
            all.push(Fallen { fault, away, back });
        }
        world.all_has_fallen.store(true, Ordering::Relaxed);
        (shop, all)
    }
}

async fn broker_killed(world: &World, broker: &mut Broker) {
    tokio::task::block_in_place(|| broker.kill());
    // What is not paid for now is not paid for before the broker is back, and should hold nobody up.
    world.ahead.fetch_add(2 * ACCEPTED_WITHOUT_BROKER, Ordering::Relaxed);
    let enough = (world.accepted() + ACCEPTED_WITHOUT_BROKER).min(world.wanted);
    until_within(PATIENCE, "orders are accepted without a broker", async || (world.accepted() >= enough).then_some(()))
        .await;
    tokio::task::block_in_place(|| broker.start_again());
    world.ahead.fetch_sub(2 * ACCEPTED_WITHOUT_BROKER, Ordering::Relaxed);
}

async fn replaced(shop: &Shop, component: &str) {
    shop.host.deploy(component, &built(component), &[]).await.expect();
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BrokerKilled => "broker killed",
            Self::HostKilled => "host killed",
            Self::DatabaseKilled => "database killed",
            Self::SubscriberReplaced => "subscriber replaced",
        })
    }
}
