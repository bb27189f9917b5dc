//! The shop over HTTP: every endpoint's good and bad answers. One host serves all the tests of this file.

use std::sync::LazyLock;

use plaza_tests::{Setup, Shop};

mod catalogue;
mod concurrency;
mod ids;
mod orders;
mod payments;
mod products;
mod readiness;
mod refunds;
mod session;
mod sessions;
mod shipping;
mod site;
mod throttle;
mod users;
mod webhooks;

/// The shop of these tests. It stops when this process ends.
fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(|| {
        let secret = format!("sandbox_webhook_secret={}", webhooks::SECRET);
        Shop::on(Setup::shop().argument("--variable").argument(&secret).start())
    });
    &SHOP
}
