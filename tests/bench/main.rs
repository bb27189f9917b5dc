//! Figures of the host and the shop, each beside the same thing without WebAssembly, taken in the same run.
//!
//! `plaza-bench` measures; `plaza-bench peer …` is what it measures against: one native program with axum and sqlx, on
//! the same database server, that does the same work for the same requests. `BENCH_SECONDS` sets how long each
//! throughput is measured (5 by default). `plaza-bench swap` measures what it costs to replace components under load.

use std::time::Duration;

use plaza_tests::{Setup, Shop};

mod connection;
mod effects;
mod load;
mod log_ins;
mod orders;
mod peer;
mod process;
mod start;
mod swap;
mod table;
mod token;

use effects::Bus;
use load::{Load, Target};
use log_ins::LogIns;
use process::PeerProcess;
use table::Table;

// The host has the same allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Link calls in one request: enough to make the request's own cost vanish.
const LINK_CALLS: u64 = 10_000;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("peer") => peer::run(arguments.collect()),
        Some("swap") => runtime().block_on(swap::measure()),
        _ => runtime().block_on(measure()),
    }
}

/// A variable of the environment, or what stands for it; ends the program where it is no number.
fn number_from_environment(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be had")
}

async fn measure() {
    let load = Load::from_environment();
    let mut table = Table::new();

    let shop = Shop::start();
    let database = orders::peer_database(&shop).await;
    let peer = PeerProcess::start(&database);
    let product = shop.product("19.99", 1_000).await;
    shop.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200);
    table.memory("memory at rest, after one log-in and one product", shop.host.process(), peer.process(), "");

    let path = format!("/api/v1/products/{product}");
    let pair = [Target::get(shop.host.base(), &path), Target::get(peer.base(), "/api/v1/products/1")];
    table.rates("GET /products/{id}", load.compare(pair).await, "");
    let pair = [orders::of_shop(&shop).await, orders::of_peer(peer.base())];
    table.rates("POST /orders, three lines", load.compare(pair).await, "");

    table.slowed(
        &format!("GET /products while {} clients log in", log_ins::CLIENTS),
        beside_log_ins(&load, &shop).await,
        "3 ×",
    );

    let platform = Setup::platform().start();
    let pair = [Target::get(platform.base(), "/hello"), Target::get(peer.base(), "/hello")];
    table.rates("hello", load.compare(pair).await, "");
    let calls = [link_call(platform.base(), "/calls/n").await, link_call(peer.base(), "/calls").await];
    table.times("one link call (native: one hand-over to a task)", calls, "3 µs");
    platform.stop();

    for bus in [Bus::InProcess, Bus::Kafka] {
        table.pressed(
            &format!("an order's event, from commit to effect, {bus}"),
            effects::measure(&load, bus).await,
            "",
        );
    }

    let stopped = shop.host.stop();
    drop(peer);
    let [plaza, native] = start::to_first_answer(stopped.setup, &path, &database).await;
    table.times("start to first answer, database initialised", [plaza, native], "500 ms");
    table.print(&load);
}

/// A page of products, asked for alone and then beside people who log in.
async fn beside_log_ins(load: &Load, shop: &Shop) -> [load::Rate; 2] {
    let page = Target::get(shop.host.base(), "/api/v1/products");
    let alone = load.measure(page.clone()).await;
    let log_ins = LogIns::start(shop).await;
    let beside = load.measure(page).await;
    println!("{} log-ins meanwhile", log_ins.stop().await);
    [alone, beside]
}

/// What one call costs inside one request: the time of a request with many, less that of a request with none.
async fn link_call(base: &str, path: &str) -> Duration {
    let client = plaza_tests::Client::new(base);
    let time = async |count: u64| {
        let mut times = Vec::new();
        for _ in 0..15 {
            let start = std::time::Instant::now();
            client.get(&format!("{path}?count={count}")).await.expect(200);
            times.push(start.elapsed());
        }
        times.sort();
        times[times.len() / 2]
    };
    time(LINK_CALLS).await.saturating_sub(time(0).await) / u32::try_from(LINK_CALLS).expect("a small number")
}
