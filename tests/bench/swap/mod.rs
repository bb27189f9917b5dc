//! Swaps under load: every service of the shop is replaced again and again while customers read and order.
//!
//! `SWAPS` is how often each service is replaced (100 by default), `SWAP_RATE` how many requests a second there are (2,000), and of how many
//! one orders `SWAP_ORDER_EVERY` (200: two or three of a shop's hundred visitors buy something, and each looks at five or six pages).

mod artifacts;
mod crowd;
mod deployment;
mod figures;
mod mix;
mod processors;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use plaza_tests::{Setup, Shop, databases::Databases, invariants};

use crate::{number_from_environment, table::memory_mib};
use artifacts::Artifacts;
use crowd::{Crowd, Told};
use deployment::Deployment;
use figures::Figures;
use mix::Mix;
use processors::Processors;

/// The services that are replaced, one after the other.
const SERVICES: [&str; 4] = ["users", "products", "orders", "payments"];
/// Load before the first swap of a service, to know how it is without.
const STEADY: Duration = Duration::from_secs(10);
/// Load between two swaps: what follows the one, a pause, and a steady second.
const BETWEEN: Duration = Duration::from_millis(2500);
/// What the clients do before anything counts: a shop that has just been made is slower at first.
const FIRST_WARM_UP: Duration = Duration::from_secs(30);
/// The same before the others, whose clients are new and ask the same shop.
const WARM_UP: Duration = Duration::from_secs(2);
/// Memory is compared after so many further swaps under a load that stays the same: what the host holds beside them grows with the load.
const MEMORY_AFTER: [usize; 2] = [10, 200];
/// How much of the memory after the fewer swaps may be held after the more.
const MEMORY_GROWTH: f64 = 1.1;
/// Requests a second in the meantime.
const MEMORY_RATE: u32 = 200;

/// Measures, prints, and ends with an error where anything was lost, or memory grew.
pub async fn measure() {
    let swaps = number_from_environment("SWAPS", 100);
    let rate = u32::try_from(number_from_environment("SWAP_RATE", 2000)).expect("a rate");
    let order_every = number_from_environment("SWAP_ORDER_EVERY", 200).max(2);
    let shop = Shop::on(Setup::shop().argument("--quiet").start());
    let mut rows = Vec::new();
    let mut ordered = 0;
    let artifacts = SERVICES.map(|service| Artifacts::of(service, swaps));
    for artifacts in &artifacts {
        let crowd = Crowd::start(shop.host.base(), &Arc::new(Mix::of(&shop, order_every).await), rate);
        tokio::time::sleep(if rows.is_empty() { FIRST_WARM_UP } else { WARM_UP }).await;
        let warm = Instant::now();
        let processors = Processors::now();
        tokio::time::sleep(STEADY).await;
        let steady = (warm, Instant::now());
        let busy = processors.busy_since();
        let mut deployments = Vec::new();
        for number in 0..swaps {
            deployments.push(Deployment::run(&shop.host, artifacts.service, artifacts.at(number)).await);
            tokio::time::sleep(BETWEEN).await;
        }
        let told = crowd.stop().await;
        ordered += told.orders();
        let figures = Figures::of(artifacts.service, &told, (steady, busy), &deployments);
        println!("{figures}");
        rows.push(figures);
    }
    println!(
        "\n{rate} requests a second of 40 clients, one in {order_every} an order, from this machine, which has {} processors; under `busy` \
         stands how many of them were before the first swap. p99 counts from when a request was due.\n",
        Processors::number(),
    );
    Figures::print_table(&rows);
    let (memory, told) = memory_after_swaps(&shop, &artifacts, order_every).await;
    ordered += told.orders();
    for (swaps, mib) in MEMORY_AFTER.iter().zip(memory) {
        println!("memory after {swaps} further swaps at {MEMORY_RATE} requests a second: {mib:.1} MiB");
    }
    let databases = Databases::of(&shop.host);
    let kept = databases.number("orders_database", "select count(*) from orders").await;
    let report =
        invariants::ask(&databases, None, invariants::SETTLING).await.unwrap_or_else(|error| panic!("{error}"));
    println!("{ordered} orders were confirmed, {kept} are in the database\n{report}");
    assert!(rows.iter().all(Figures::nothing_failed), "requests failed");
    assert_eq!(i64::try_from(ordered).expect("a count"), kept, "orders were lost or doubled");
    assert!(report.holds(), "what must always hold does not");
    let [few, many] = memory;
    assert!(told.failures.is_empty(), "requests failed: {:?}", told.failures);
    assert!(many <= few * MEMORY_GROWTH, "memory grew by {:.0} %", 100.0 * (many / few - 1.0));
}

/// What the host holds after so many swaps, each of the next service, and what customers saw meanwhile.
async fn memory_after_swaps(shop: &Shop, artifacts: &[Artifacts], order_every: usize) -> ([f64; 2], Told) {
    let crowd = Crowd::start(shop.host.base(), &Arc::new(Mix::of(shop, order_every).await), MEMORY_RATE);
    let mut done = 0;
    let mut memory = [0.0; 2];
    for (after, mib) in MEMORY_AFTER.into_iter().zip(&mut memory) {
        while done < after {
            let next = &artifacts[done % artifacts.len()];
            Deployment::run(&shop.host, next.service, (next.known(), false)).await;
            done += 1;
        }
        *mib = memory_mib(shop.host.process());
    }
    (memory, crowd.stop().await)
}
