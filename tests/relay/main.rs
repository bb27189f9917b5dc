//! The shop where it is served by somebody who does nothing unasked, as Spin is, with `plaza relay` beside it.
//!
//! A host plays Spin: its manifest does not say what components do unasked. Databases are on the server of another, which outlives both.

use std::collections::BTreeSet;

use plaza_tests::{
    Host, Setup, Shop,
    databases::Databases,
    shop::{Customer, id_of},
    spin, until,
};
use tokio::task::spawn_blocking;

mod away;
mod kafka;
mod killed;
mod letters;
mod operator;
mod order;
mod refused;
mod ticks;
mod token;

/// The leases of those who do something unasked.
const LEASES: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE application_name LIKE 'plaza lease outbox/%' OR application_name LIKE 'plaza lease tick/%'";

/// A shop without anybody who relays.
struct Stage {
    shop: Shop,
    databases: Databases,
    /// Kept running: the databases are its.
    server: Host,
}

impl Stage {
    fn set() -> Self {
        Self::with(|setup| setup)
    }

    /// With something more about the host.
    fn with(adjust: impl FnOnce(Setup) -> Setup) -> Self {
        let server = Setup::of("tests/apps/databases/spin.toml").start();
        let (databases, url) = (Databases::of(&server), server.setup().state().database_owner_url());
        let setup = Setup::shop().manifest_in(spin::manifest()).argument("--database-url").argument(&url);
        let shop = Shop::on(adjust(setup).start());
        Self { shop, databases, server }
    }

    /// A relay for it, to be started.
    fn relay(&self) -> Setup {
        let url = self.server.setup().state().database_owner_url();
        Setup::relay("spin.toml", self.shop.host.base(), &url)
    }

    /// A customer with an order of two pieces.
    async fn order(&self) -> (Customer, i64) {
        let product = self.shop.product("19.99", 10).await;
        let ada = self.shop.customer().await;
        let order = id_of(&ada.order(&[(product, 2)]).await);
        (ada, order)
    }

    /// Fails the test where anybody relays, or anything was.
    async fn expect_nothing_relayed(&self) {
        assert_eq!(self.databases.number("plaza", LEASES).await, 0, "somebody relays");
        assert_eq!(self.count("published_at IS NOT NULL").await, 0, "an event is gone");
        assert_eq!(self.databases.number("payments_database", "SELECT count(*) FROM payments").await, 0);
    }

    /// How many events of the orders are like this.
    async fn count(&self, condition: &str) -> i64 {
        let query = format!("SELECT count(*) FROM outbox WHERE {condition}");
        self.databases.number("orders_database", &query).await
    }

    /// How many events of the orders are not taken yet: they are in the outbox, or wait for a subscriber that did not take them at once.
    async fn untold(&self) -> i64 {
        untold(&self.databases).await
    }

    /// Waits until all events of the orders are taken.
    async fn until_all_is_told(&self) {
        until("all events are taken", async || (self.untold().await == 0).then_some(())).await;
    }
}

/// See [`Stage::untold`]. An event that is put where it waits is in both places for a moment.
async fn untold(databases: &Databases) -> i64 {
    let waiting = databases
        .rows::<(String,)>("plaza", "SELECT event_id::text FROM waiting_events WHERE source = '/orders'")
        .await;
    let unpublished =
        databases.rows::<(String,)>("orders_database", "SELECT id::text FROM outbox WHERE published_at IS NULL").await;
    let events: BTreeSet<_> = waiting.into_iter().chain(unpublished).collect();
    i64::try_from(events.len()).expect("few")
}

/// Starts a host, or a relay, while others are at work.
async fn started(setup: Setup) -> Host {
    spawn_blocking(|| setup.start()).await.expect("it starts")
}

/// The word by which a relay says how it stands, to anybody.
async fn word(relay: &Host) -> String {
    let ready = relay.client().at(relay.control_address()).get("/health/ready").await;
    ready.json()["status"].as_str().expect("a word").to_owned()
}
