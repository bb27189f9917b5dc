//! A generic API fuzzer, Schemathesis, finds nothing: neither as a customer nor as an administrator. It knows the shop by
//! `/openapi.json` alone, so this also shows that the document says the truth.
//!
//! `make fuzz` runs it long, with other cases each time, and until it has got everything done that its role may. Without
//! `PLAZA_FUZZ_MINUTES` it is short, always has the same cases, and has to get an answer of every operation.

mod identities;
mod report;
mod schemathesis;

use plaza_tests::{Setup, Shop, databases::Databases, invariants, shop::id_of};

use identities::Identities;
use report::Report;
use schemathesis::{Extent, Schemathesis};
use serde_json::json;

/// How often the fuzzer may follow the links of the document anew: a round of that ends when the shop answers the same
/// request otherwise than before, as it should where somebody has ordered meanwhile.
const ROUNDS_MAX: u32 = 12;

/// What the shop of these tests and its provider share.
const WEBHOOK_SECRET: &str = "a secret of the tests";

/// What everybody may do, and the fuzzer has to get done.
const FOR_ALL: [&str; 14] = [
    "POST /api/v1/users",
    "GET /api/v1/users/{id}",
    "PATCH /api/v1/users/{id}",
    "POST /api/v1/sessions",
    "POST /api/v1/sessions/refresh",
    "DELETE /api/v1/sessions/current",
    "GET /api/v1/products/{id}",
    "POST /api/v1/orders",
    "GET /api/v1/orders/{id}",
    "GET /api/v1/orders/{id}/history",
    "POST /api/v1/orders/{id}/cancel",
    "GET /api/v1/payments",
    "GET /api/v1/payments/{id}",
    "GET /api/v1/notifications",
];

/// What only they may do to whom it belongs.
const FOR_CUSTOMERS: [&str; 2] = ["PUT /api/v1/users/{id}/password", "POST /api/v1/payments/{id}/confirm"];

/// What only administrators may do.
const FOR_ADMINS: [&str; 9] = [
    "GET /api/v1/users",
    "POST /api/v1/products",
    "PATCH /api/v1/products/{id}",
    "DELETE /api/v1/products/{id}",
    "POST /api/v1/products/{id}/stock",
    "GET /api/v1/products/{id}/movements",
    "POST /api/v1/orders/{id}/ship",
    "POST /api/v1/orders/{id}/deliver",
    "POST /api/v1/payments/{id}/refunds",
];

#[tokio::test(flavor = "multi_thread")]
async fn as_a_customer_it_finds_nothing() {
    let report = fuzz("customer", &[&FOR_ALL[..], &FOR_CUSTOMERS[..]].concat()).await;
    for operation in FOR_ADMINS {
        assert!(report.statuses(operation).iter().all(|status| *status >= 400), "{operation} is not for customers");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn as_an_administrator_it_finds_nothing() {
    fuzz("admin", &[&FOR_ALL[..], &FOR_ADMINS[..]].concat()).await;
}

/// Lets the fuzzer loose on a shop of its own, logged in in this role; if there is time, until it has got all of this done.
async fn fuzz(role: &str, wanted: &[&str]) -> Report {
    let secret = format!("sandbox_webhook_secret={WEBHOOK_SECRET}");
    let shop = Shop::on(Setup::shop().argument("--quiet").argument("--variable").argument(&secret).start());
    let identities = Identities::of(&shop).await;
    furnish(&shop, &identities).await;
    let fuzzer = Schemathesis::installed();
    let extent = Extent::from_environment();
    let mut report = fuzzer.run(&shop, &identities, role, extent).await;
    let never_asked: Vec<_> = wanted.iter().filter(|operation| report.statuses(operation).is_empty()).collect();
    assert!(never_asked.is_empty(), "as {role} it never asked {never_asked:?}");
    if extent != Extent::Short {
        for round in (1..=ROUNDS_MAX).map(Extent::Round) {
            if report.missing(wanted).is_empty() {
                break;
            }
            report.extend(fuzzer.run(&shop, &identities, role, round).await);
        }
        let missing = report.missing(wanted);
        assert!(missing.is_empty(), "as {role} it did not get so far:\n{}", report.counted(&missing));
    }
    invariants::check(&Databases::of(&shop.host)).await;
    report
}

/// Something to sell, more of it than any fuzzer orders, and orders on every part of their way.
async fn furnish(shop: &Shop, identities: &Identities) {
    let mut products = Vec::new();
    for _ in 0..4 {
        products.push(shop.product("19.99", 1_000_000).await);
    }
    for customer in &identities.customers {
        for (place, product) in products.iter().chain(&products).enumerate() {
            let order = id_of(&customer.order(&[(*product, 2)]).await);
            if place % 3 == 0 {
                customer.pay(order).await;
            }
            if place == 3 {
                let shipment = json!({"carrier": "Mule", "tracking": "1"});
                shop.admin().await.post(&format!("/api/v1/orders/{order}/ship"), &shipment).await.expect(200);
            }
        }
    }
}
