//! The same order, asked of the shop and of the peer.

use plaza_tests::{
    Shop,
    databases::Databases,
    shop::{PASSWORD, log_in, order_body},
};

use crate::{load::Target, token};

/// Products that the orders are spread over.
const PRODUCTS: i64 = 50;

/// The peer's database, on the shop's server, and the role that it is entered with.
const PEER_DATABASE: &str = "bench_peer";
const PEER_PASSWORD: &str = "worth-nothing-outside-this-run";

/// Makes the peer's database on the shop's server and returns its address. The role has the settings of a component's.
pub async fn peer_database(shop: &Shop) -> String {
    let databases = Databases::of(&shop.host);
    for statement in [
        format!("CREATE ROLE {PEER_DATABASE} LOGIN PASSWORD '{PEER_PASSWORD}'"),
        format!("ALTER ROLE {PEER_DATABASE} SET plan_cache_mode = force_generic_plan"),
        format!("ALTER ROLE {PEER_DATABASE} SET jit = off"),
        format!("CREATE DATABASE {PEER_DATABASE} OWNER {PEER_DATABASE}"),
    ] {
        databases.execute("postgres", &statement).await;
    }
    let port = databases.port();
    format!("postgres://{PEER_DATABASE}:{PEER_PASSWORD}@127.0.0.1:{port}/{PEER_DATABASE}")
}

/// Orders of a customer of the shop.
pub async fn of_shop(shop: &Shop) -> Target {
    let customer = shop.customer().await;
    let mut products = Vec::new();
    for _ in 0..PRODUCTS {
        products.push(shop.product("19.99", 1_000_000).await);
    }
    let token = log_in(&shop.anyone(), &customer.email, PASSWORD).await;
    Target::post(shop.host.base(), "/api/v1/orders", &token, bodies(&products))
}

/// Orders of the peer's one customer.
pub fn of_peer(base: &str) -> Target {
    let products: Vec<i64> = (1..=PRODUCTS).collect();
    Target::post(base, "/api/v1/orders", &token::sign(1), bodies(&products))
}

/// Three lines each, no two orders in a row of the same products.
fn bodies(products: &[i64]) -> Vec<String> {
    let line = |number: usize| (products[number % products.len()], 1);
    (0..products.len())
        .map(|number| order_body(&[line(number), line(number + 7), line(number + 19)]).to_string())
        .collect()
}
