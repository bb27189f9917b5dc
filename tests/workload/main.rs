//! Many customers browse, order, pay with every token of the sandbox, cancel and repeat themselves, while a merchant gives money
//! back, ships, cancels and changes the catalogue, and meanwhile the host is killed, its database is killed, and the payment
//! provider is replaced by an equal one. Whatever the moment: in the end every invariant holds, and equal keys got equal answers.
//!
//! `WORKLOAD_SEED` repeats what somebody wished for in an earlier run; when it happens is up to the machine. `WORKLOAD_VISITS`
//! makes it longer.

mod blow;
mod customer;
mod keyed;
mod merchant;
mod tally;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::future::join_all;
use plaza_tests::{
    Client, Setup, Shop,
    databases::Databases,
    invariants::{Ledger, SETTLING, ask, ask_at_once},
    sandbox,
    token::{TokenKey, claims},
    until_within,
};
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;

use blow::Blows;
use tally::Tally;

const CUSTOMERS: usize = 16;
const PRODUCTS: usize = 12;

/// Pieces of each product to begin with, and one more for every few visits: enough to go on, not so many that none runs out.
const PIECES: usize = 20;
const VISITS_PER_PIECE: usize = 6;

/// Visits of all customers together, unless `WORKLOAD_VISITS` says otherwise.
const VISITS: usize = 144;

/// Visits between two blows.
const VISITS_PER_BLOW: usize = 30;

/// How long a visit may take that a blow has fallen into.
const VISIT_PATIENCE: Duration = Duration::from_secs(120);

/// What must hold at any moment is asked after each visit, and so often while none ends.
const WATCH_EVERY: Duration = Duration::from_millis(250);

/// How long an order waits for its payment: not long, so that some expire on the way.
const ORDER_TTL_S: u32 = 20;

/// What everybody knows.
struct World {
    tally: Tally,
    products: Vec<i64>,
    /// Whoever speaks to the shop without a token; the provider, for instance.
    anyone: Client,
    visits: AtomicUsize,
    all_visits: usize,
}

impl World {
    /// Waits until so many visits are over.
    async fn visited(&self, count: usize) {
        until_within(VISIT_PATIENCE, &format!("{count} of {} visits are over", self.all_visits), async || {
            (self.visits.load(Ordering::Relaxed) >= count.min(self.all_visits)).then_some(())
        })
        .await;
    }

    fn is_over(&self) -> bool {
        self.visits.load(Ordering::Relaxed) >= self.all_visits
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_invariant_holds_after_a_busy_day_with_every_misfortune() {
    let seed = number_from("WORKLOAD_SEED").unwrap_or_else(now_s);
    let visits_each = number_from("WORKLOAD_VISITS").map_or(VISITS, |visits| visits as usize).div_ceil(CUSTOMERS);
    tally::tell(&format!("workload: WORKLOAD_SEED={seed} WORKLOAD_VISITS={}", visits_each * CUSTOMERS));

    // The tests sign the tokens themselves: those that the shop makes would not last through a long workload.
    let key = TokenKey::of(1);
    let [private, public] = key.variables();
    let mut setup = Setup::shop().variable(&private).variable(&public).variable(&sandbox::variable());
    setup = setup.variable(&format!("order_ttl_seconds={ORDER_TTL_S}"));
    let shop = Shop::on(setup.start());
    let long_lived = |user: i64, role: &str| {
        let mut claims = claims(user, role);
        claims["exp"] = json!(now_s() + 24 * 60 * 60);
        shop.anyone().with_token(&key.sign(&key.header(), &claims))
    };
    let mut customers: Vec<Client> = Vec::new();
    for _ in 0..CUSTOMERS {
        customers.push(long_lived(shop.customer().await.id, "customer"));
    }
    let administrator = Databases::of(&shop.host)
        .number("users_database", "SELECT id FROM users WHERE email = 'admin@example.com'")
        .await;
    let merchant = long_lived(administrator, "admin");
    let all_visits = visits_each * CUSTOMERS;
    let pieces = (PIECES + all_visits / VISITS_PER_PIECE) as i64;
    let mut products = Vec::new();
    for number in 0..PRODUCTS {
        products.push(shop.product(&format!("{}.{:02}", number + 1, 7 * number), pieces).await);
    }
    let world =
        World { tally: Tally::default(), products, anyone: shop.anyone(), visits: AtomicUsize::new(0), all_visits };
    let random = |number: u64| StdRng::seed_from_u64(seed.wrapping_mul(1000).wrapping_add(number));

    let blows = Blows::planned(all_visits / VISITS_PER_BLOW, random(0));
    let planned = blows.len();
    let state = shop.host.setup().state().path().to_owned();
    let shopping = customers.iter().zip(1..);
    let shopping = shopping.map(|(client, number)| customer::shop_around(&world, client, visits_each, random(number)));
    let (_, (), (), shop) = tokio::join!(
        join_all(shopping),
        merchant::mind_the_shop(&world, &merchant, random(999)),
        watch(&world, &state),
        blows.fall(&world, shop),
    );

    let databases = Databases::of(&shop.host);
    let report = ask(&databases, None, SETTLING).await.expect("the databases are there");
    tally::tell(&format!("{report}"));
    tally::tell(&world.tally.to_string());
    assert!(report.holds(), "{report}");
    enough_happened(&world.tally, &mut Ledger::read(&databases).await.expect("the databases are there"), planned).await;
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

/// Asks what must hold at any moment again and again, whenever the databases are there.
async fn watch(world: &World, state: &std::path::Path) {
    let mut asked = 0;
    while !world.is_over() {
        let next_visit = world.visited(world.visits.load(Ordering::Relaxed) + 1);
        let _ = tokio::time::timeout(WATCH_EVERY, next_visit).await;
        let Ok(databases) = Databases::in_state(state) else { continue };
        if let Ok(report) = ask_at_once(&databases).await {
            assert!(!report.is_broken(), "in the midst of it all:\n{report}");
            asked += 1;
        }
    }
    world.tally.add("times the invariants of any moment were asked", asked);
}

/// A workload that did too little proves nothing.
async fn enough_happened(tally: &Tally, ledger: &mut Ledger, blows: usize) {
    assert_eq!(tally.sum_of("blow:"), blows, "every blow fell");
    for (what, query, per_hundred_visits) in [
        ("orders", "SELECT count(*) FROM orders", 60),
        ("sold orders", "SELECT count(*) FROM orders WHERE status IN ('paid', 'shipped', 'delivered')", 15),
        ("cancelled orders", "SELECT count(*) FROM orders WHERE status = 'cancelled'", 10),
        ("declines", "SELECT count(*) FROM attempts WHERE state = 'declined'", 4),
        ("refunds", "SELECT count(*) FROM returned", 5),
    ] {
        let (count, wanted) =
            (ledger.number(query).await.expect("a number"), per_hundred_visits * tally.count("visits") as i64 / 100);
        tally::tell(&format!("{count} {what}, at least {wanted} wanted"));
        assert!(count >= wanted, "only {count} {what}: too little to prove anything");
    }
    assert!(tally.count("repetitions that got the first answer") > 10);
    assert!(tally.count("times the invariants of any moment were asked") >= 3);
}

fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
