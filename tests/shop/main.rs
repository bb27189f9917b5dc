//! The shop over HTTP: every endpoint's good and bad answers. One host serves all the tests of this file.

use std::sync::LazyLock;

use plaza_tests::{Setup, Shop, sandbox, token::TokenKey};

mod access;
mod administrators;
mod browsers;
mod cards;
mod catalogue;
mod concurrency;
mod contract;
mod currency;
mod documents;
mod ends;
mod events;
mod expiry;
mod history;
mod ids;
mod inputs;
mod interleavings;
mod internal;
mod invariants;
mod log;
mod methods;
mod notifications;
mod orders;
mod passwords;
mod payments;
mod products;
mod readiness;
mod refunds;
mod schemas;
mod session;
mod sessions;
mod shipping;
mod site;
mod throttle;
mod tokens;
mod traces;
mod users;
mod webhooks;

/// What the shop of these tests signs its tokens with.
static TOKEN_KEY: LazyLock<TokenKey> = LazyLock::new(|| TokenKey::of(1));

/// By which the components of these tests' shop know one another.
const SERVICE_TOKEN: &str = "what the components know";

/// The shop of these tests. It stops when this process ends.
fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(with_known_keys);
    &SHOP
}

/// A shop whose keys the tests know.
fn with_known_keys() -> Shop {
    let [private, public] = TOKEN_KEY.variables();
    let token = format!("service_token={SERVICE_TOKEN}");
    let known = [sandbox::variable(), private, public, token];
    Shop::on(known.iter().fold(Setup::shop(), |setup, variable| setup.variable(variable)).start())
}

/// Whose scripts may call [`other_shop`].
const ORIGINS: [&str; 2] = ["https://shop.example", "https://admin.shop.example"];

/// A shop with other settings: orders wait for twelve seconds only, prices are in dollars, scripts come from elsewhere, and whoever
/// asks is taken for a proxy.
fn other_shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(|| {
        let origins = format!("cors_origins={}", ORIGINS.join(", "));
        let setup = Setup::shop().variable("order_ttl_seconds=12").variable("currency=USD").variable(&origins);
        Shop::on(setup.argument("--trusted-proxy").argument("127.0.0.1").start())
    });
    &SHOP
}
