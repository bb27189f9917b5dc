//! Orders through the shop with its events on a real broker, while broker, host and database are killed in turn and a subscriber is
//! replaced. Afterwards everything is counted: what was accepted, what stands on the topics, what effects it had.
//!
//! `FAULTS_ORDERS` says how many orders. Every tenth is cancelled, so that every event of the shop has somebody to heed it; the others are paid.

mod customer;
mod fault;
mod proof;

use std::{
    collections::BTreeSet,
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use plaza_tests::{
    Client, Setup, Shop,
    broker::{self, Broker},
    token::{TokenKey, claims, now_s},
    until_within,
};
use serde_json::json;

use fault::Faults;

/// Orders, unless `FAULTS_ORDERS` says otherwise.
const ORDERS: usize = 300;

const CUSTOMERS: usize = 16;
const PRODUCTS: usize = 8;

/// Orders that are accepted and neither paid nor cancelled: no more, so that customers order from the first fault to the last.
const AHEAD: usize = 64;

/// How long orders may take to go on after a fault.
const PATIENCE: Duration = Duration::from_secs(180);

/// What everybody knows.
struct World {
    products: Vec<i64>,
    wanted: usize,
    /// Asked for so far.
    begun: AtomicUsize,
    /// The numbers of those that got a 201.
    accepted: Mutex<BTreeSet<i64>>,
    /// Paid or cancelled, as their customers were told.
    finished: AtomicUsize,
    /// How many may be accepted before they are finished.
    ahead: AtomicUsize,
    /// The last orders, which are placed once nothing more is to fall.
    held_back: usize,
    all_has_fallen: AtomicBool,
}

impl World {
    fn accepted(&self) -> usize {
        self.accepted.lock().unwrap().len()
    }

    /// Waits until the one of this number may be placed.
    async fn has_room(&self, number: usize) {
        if number + self.held_back >= self.wanted {
            let fallen = async || self.all_has_fallen.load(Ordering::Relaxed).then_some(());
            until_within(PATIENCE, "all has fallen", fallen).await;
        }
        until_within(PATIENCE, "orders go on", async || {
            let bound = self.finished.load(Ordering::Relaxed) + self.ahead.load(Ordering::Relaxed);
            (self.accepted() < bound).then_some(())
        })
        .await;
    }

    /// Waits until so many orders have been paid or cancelled.
    async fn finished(&self, count: usize) {
        let until = format!("{count} of {} orders are paid or cancelled", self.wanted);
        until_within(PATIENCE, &until, async || (self.finished.load(Ordering::Relaxed) >= count).then_some(())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_has_its_effect_once_and_in_order_whatever_is_killed_on_its_way() {
    if broker::given().is_some() {
        return tell("not run, for it kills brokers, and those of KAFKA_BROKERS are to be left alone");
    }
    let wanted = wanted();
    let mut broker = Broker::start();
    // The tests sign the tokens themselves: those that the shop makes would not last through a long run.
    let key = TokenKey::of(1);
    let [private, public] = key.variables();
    let setup = Setup::shop().argument("--kafka").argument(&broker.address());
    let shop = Shop::on(setup.variable(&private).variable(&public).start());
    let mut customers = Vec::new();
    for _ in 0..CUSTOMERS {
        customers.push(long_lived(&shop, &key).await);
    }
    let mut products = Vec::new();
    for _ in 0..PRODUCTS {
        products.push(shop.product("3.00", i64::try_from(wanted).unwrap() + 10).await);
    }
    let faults = Faults::planned(wanted);
    let world = World {
        products,
        wanted,
        begun: AtomicUsize::new(0),
        accepted: Mutex::default(),
        finished: AtomicUsize::new(0),
        ahead: AtomicUsize::new(AHEAD),
        held_back: faults.held_back(),
        all_has_fallen: AtomicBool::new(false),
    };
    let (_, (shop, fallen)) = tokio::join!(
        join_all(customers.iter().map(|client| customer::buy(&world, client))),
        faults.fall(&world, shop, &mut broker)
    );
    tell(&proof::of(&world, &shop, &broker.address(), &fallen).await);
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// A new customer, whose token lasts for a day.
async fn long_lived(shop: &Shop, key: &TokenKey) -> Client {
    let mut claims = claims(shop.customer().await.id, "customer");
    claims["exp"] = json!(now_s() + 24 * 60 * 60);
    shop.anyone().with_token(&key.sign(&key.header(), &claims))
}

fn wanted() -> usize {
    match std::env::var("FAULTS_ORDERS") {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("FAULTS_ORDERS={text} is no number")),
        Err(_) => ORDERS,
    }
}

/// Tells it even when the test passes: what `println!` prints, the test runner keeps to itself then.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
