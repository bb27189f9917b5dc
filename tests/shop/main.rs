//! The shop over HTTP: every endpoint's good and bad answers. One host serves all the tests of this file.

use std::sync::LazyLock;

use plaza_tests::Shop;

mod concurrency;
mod ids;
mod orders;
mod payments;
mod products;
mod readiness;
mod session;
mod site;
mod users;

/// The shop of these tests. It stops when this process ends.
fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(Shop::start);
    &SHOP
}
