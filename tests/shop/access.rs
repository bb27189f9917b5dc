//! Who may do what: every endpoint, asked by everybody. Who is refused has changed nothing.

mod stage;

use std::{collections::BTreeSet, sync::LazyLock};

use plaza_tests::{Answer, Client, Shop, shop::fresh_key};

use crate::with_known_keys;
use stage::{Made, Stage, Thing};

/// A shop for these tests alone: they are refused so often that their address would have to wait.
fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(with_known_keys);
    &SHOP
}

/// Who asks. The owner of the thing is a customer; "expired" and "forged" are tokens that name the owner and the role of an
/// administrator, so that either would open every door if it were believed. A deactivated owner still has a token.
const CALLERS: [&str; 7] = ["nobody", "owner", "another", "administrator", "deactivated owner", "expired", "forged"];

/// The same for everybody.
const fn all(status: u16) -> [u16; 7] {
    [status; 7]
}

/// Method, path, what it is asked about, and what each of [`CALLERS`] is answered.
const ENDPOINTS: &[(&str, &str, Thing, [u16; 7])] = &[
    ("POST", "/api/v1/users", Thing::Nothing, all(201)),
    // The credentials are the owner's; a token makes no difference.
    ("POST", "/api/v1/sessions", Thing::Account, [201, 201, 201, 201, 401, 201, 201]),
    ("POST", "/api/v1/sessions/refresh", Thing::Session, [201, 201, 201, 201, 401, 201, 201]),
    ("DELETE", "/api/v1/sessions/current", Thing::Nothing, [401, 204, 204, 204, 204, 401, 401]),
    ("GET", "/api/v1/users", Thing::Nothing, [401, 403, 403, 200, 403, 401, 401]),
    ("GET", "/api/v1/users/{id}", Thing::Account, [401, 200, 404, 200, 200, 401, 401]),
    ("PATCH", "/api/v1/users/{id}", Thing::Account, [401, 200, 404, 200, 403, 401, 401]),
    ("PUT", "/api/v1/users/{id}/password", Thing::Account, [401, 204, 404, 403, 403, 401, 401]),
    ("GET", "/api/v1/products", Thing::Nothing, all(200)),
    ("POST", "/api/v1/products", Thing::Nothing, [401, 403, 403, 201, 403, 401, 401]),
    // An administrator sees archived products too, so a token is looked at where there is one.
    ("GET", "/api/v1/products/{id}", Thing::Product, [200, 200, 200, 200, 200, 401, 401]),
    ("PATCH", "/api/v1/products/{id}", Thing::Product, [401, 403, 403, 200, 403, 401, 401]),
    ("DELETE", "/api/v1/products/{id}", Thing::Product, [401, 403, 403, 204, 403, 401, 401]),
    ("POST", "/api/v1/products/{id}/stock", Thing::Product, [401, 403, 403, 200, 403, 401, 401]),
    ("GET", "/api/v1/products/{id}/movements", Thing::Product, [401, 403, 403, 200, 403, 401, 401]),
    ("POST", "/api/v1/orders", Thing::Product, [401, 201, 201, 201, 403, 401, 401]),
    ("GET", "/api/v1/orders", Thing::Nothing, [401, 200, 200, 200, 200, 401, 401]),
    ("GET", "/api/v1/orders/{id}", Thing::PendingOrder, [401, 200, 404, 200, 200, 401, 401]),
    ("GET", "/api/v1/orders/{id}/history", Thing::PendingOrder, [401, 200, 404, 200, 200, 401, 401]),
    ("POST", "/api/v1/orders/{id}/cancel", Thing::PendingOrder, [401, 200, 404, 200, 403, 401, 401]),
    ("POST", "/api/v1/orders/{id}/ship", Thing::PaidOrder, [401, 403, 403, 200, 403, 401, 401]),
    ("POST", "/api/v1/orders/{id}/deliver", Thing::ShippedOrder, [401, 403, 403, 200, 403, 401, 401]),
    ("GET", "/api/v1/payments", Thing::Nothing, [401, 200, 200, 200, 200, 401, 401]),
    ("GET", "/api/v1/payments/{id}", Thing::Payment, [401, 200, 404, 200, 200, 401, 401]),
    ("POST", "/api/v1/payments/{id}/confirm", Thing::Payment, [401, 200, 404, 404, 403, 401, 401]),
    ("POST", "/api/v1/payments/{id}/refunds", Thing::PaidPayment, [401, 403, 403, 201, 403, 401, 401]),
    // The provider's signature counts, and nothing else.
    ("POST", "/api/v1/payments/webhooks/{provider}", Thing::WaitingPayment, all(204)),
    ("POST", "/api/v1/payments/webhooks/{provider}", Thing::Payment, all(400)),
    ("GET", "/api/v1/notifications", Thing::Nothing, [401, 200, 200, 200, 200, 401, 401]),
    ("GET", "/", Thing::Nothing, all(200)),
    ("GET", "/docs", Thing::Nothing, all(200)),
    ("GET", "/openapi.json", Thing::Nothing, all(200)),
    ("GET", "/health", Thing::Nothing, all(200)),
    ("GET", "/health/live", Thing::Nothing, all(200)),
    ("GET", "/health/ready", Thing::Nothing, all(200)),
];

#[tokio::test]
async fn every_endpoint_answers_everybody_as_the_table_says() {
    let stage = Stage::set(ENDPOINTS.iter().map(|endpoint| endpoint.2)).await;
    let mut wrong = Vec::new();
    for (row, (method, path, _, answers)) in ENDPOINTS.iter().enumerate() {
        for (caller, expected) in answers.iter().enumerate() {
            let made = stage.made(row, caller);
            let before = stage.look_at(made).await;
            let answer = ask(method, path, &stage.client(caller), made).await;
            if answer.status != *expected {
                let (status, text) = (answer.status, answer.text());
                wrong.push(format!("{method} {path}, {}: {status}, not {expected}: {text}", CALLERS[caller]));
                continue;
            }
            if *expected < 400 {
                continue;
            }
            if *expected == 401 && !path.contains("sessions/refresh") {
                assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path} does not say how");
            }
            answer.problem(*expected);
            assert_eq!(stage.look_at(made).await, before, "{method} {path}, {}, had an effect", CALLERS[caller]);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn the_table_of_who_may_do_what_has_every_endpoint_of_the_description() {
    let document = shop().anyone().get("/openapi.json").await.expect(200).json();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<(String, String)> = paths
        .iter()
        .filter(|(path, _)| path.starts_with("/api/"))
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let services = ENDPOINTS.iter().filter(|(_, path, ..)| path.starts_with("/api/"));
    let asked: BTreeSet<(String, String)> =
        services.map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(asked, described);
}

async fn ask(method: &str, path: &str, client: &Client, made: &Made) -> Answer {
    let at = path.replace("{id}", &made.id.to_string()).replace("{provider}", "sandbox");
    let mut call = client.request(method, &at).key(&fresh_key());
    for (name, value) in made.headers() {
        call = call.header(name, &value);
    }
    match made.body(method, path) {
        Some(body) => call.json(&body).await,
        None => call.await,
    }
}
