//! `/internal/<component>/…`: open to those who have the service token, and to nobody else.

use plaza_tests::{
    Answer, Client,
    databases::Databases,
    shop::{fresh_key, id_of},
};
use serde_json::{Value, json};

use crate::{SERVICE_TOKEN, shop};

/// Functions that ask, with their arguments: each has a component behind it and changes nothing.
const QUESTIONS: [(&str, &str); 4] = [
    ("users/directory/get-user", "[1]"),
    ("products/inventory/commit", r#"["00000000-0000-0000-0000-000000000000", null]"#),
    ("orders/readiness/check", "[]"),
    ("payments/readiness/check-provider", "[]"),
];
const COMPONENTS: [&str; 5] = ["users", "products", "orders", "payments", "notifications"];
const SUBSCRIBERS: [&str; 4] = ["products", "orders", "payments", "notifications"];

/// Another component of the shop.
fn peer() -> Client {
    shop().anyone().with_token(SERVICE_TOKEN)
}

async fn call(function: &str, arguments: Value) -> Value {
    peer().post(&format!("/internal/{function}"), &arguments).await.expect(200).json()
}

/// All that an answer says, but for what is of this request alone.
fn said(answer: &Answer) -> (u16, Vec<String>, String) {
    let own = answer.header("x-request-id").to_owned();
    let headers = ["content-type", "cache-control", "www-authenticate", "allow", "vary", "content-security-policy"];
    let headers = headers.iter().map(|name| answer.header(name).to_owned()).collect();
    (answer.status, headers, answer.text().replace(&own, ""))
}

#[tokio::test]
async fn without_the_service_token_there_is_nothing_there() {
    let anyone = shop().anyone();
    let unknown = said(&anyone.post("/nothing/of/the/kind", &json!([])).await);
    assert_eq!(unknown.0, 404);
    let strangers = [anyone.clone(), anyone.with_token("a guess"), anyone.with_token(&format!("{SERVICE_TOKEN}s")), {
        shop().admin().await
    }];
    let work = COMPONENTS.map(|component| (format!("{component}/tick"), ""));
    let events = SUBSCRIBERS.map(|component| (format!("{component}/events"), "{}"));
    let questions = QUESTIONS.map(|(function, arguments)| (function.to_owned(), arguments));
    for (function, arguments) in work.iter().chain(&events).chain(&questions) {
        for stranger in &strangers {
            let path = format!("/internal/{function}");
            let refused = stranger.request("POST", &path).header("content-type", "application/json").body(*arguments);
            assert_eq!(said(&refused.await), unknown, "{path}");
        }
    }
    // Neither does a method or a name that there is not tell anything, even to those who have it.
    for (method, path) in
        [("GET", "/internal/users/tick"), ("POST", "/internal/users/tock"), ("POST", "/internal/users")]
    {
        assert_eq!(said(&peer().request(method, path).await), unknown, "{method} {path}");
    }
}

#[tokio::test]
async fn no_document_speaks_of_it() {
    for path in ["/openapi.json", "/asyncapi.json", "/docs", "/"] {
        assert!(!shop().anyone().get(path).await.expect(200).text().contains("/internal"), "{path}");
    }
}

#[tokio::test]
async fn with_it_a_component_answers_as_it_does_over_a_link() {
    let customer = shop().customer().await;
    let user = call("users/directory/get-user", json!([customer.id])).await;
    assert_eq!((&user["Ok"]["email"], &user["Ok"]["role"]), (&json!(customer.email), &json!("Customer")));
    assert_eq!(call("users/directory/get-user", json!([0])).await, json!({"Err": "NotFound"}));
    for function in ["orders/readiness/check", "payments/readiness/check", "payments/readiness/check-provider"] {
        assert_eq!(call(function, json!([])).await, json!({"Ok": null}), "{function}");
    }
    assert_eq!(call("orders/readiness/events-flow", json!([])).await["Ok"], true);
    peer().post("/internal/users/directory/get-user", &json!(["one"])).await.problem(422);
}

#[tokio::test]
async fn stock_is_taken_and_given_back_under_a_reservation() {
    let product = shop().product("19.99", 5).await;
    let reservation = "0f8fad5b-d9cb-469f-a165-70867728950e";
    let reserve = async |quantity: i64| {
        let line = json!({"product_id": product, "quantity": quantity});
        call("products/inventory/reserve", json!([reservation, [line], 60, null])).await
    };
    let short = json!([{"product_id": product, "wanted": 6, "available": 5}]);
    assert_eq!(reserve(6).await, json!({"Err": {"OutOfStock": short}}));
    let taken = reserve(2).await;
    assert_eq!((&taken["Ok"][0]["price_minor"], &taken["Ok"][0]["currency"]), (&json!(1999), &json!("EUR")));
    assert_eq!(reserve(2).await, taken);
    assert_eq!(shop().stock(product).await, 3);
    assert_eq!(call("products/inventory/commit", json!([reservation, null])).await, json!({"Ok": null}));
    assert_eq!(call("products/inventory/undo", json!([reservation])).await, json!({"Ok": null}));
    assert_eq!(shop().stock(product).await, 5);
    assert_eq!(call("products/inventory/commit", json!([reservation, null])).await, json!({"Err": "Undone"}));
}

#[tokio::test]
async fn an_event_has_its_effect_once_in_whichever_form_it_comes() {
    let (product, customer) = (shop().product("7.00", 10).await, shop().customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    let value = json!({"type": "PAYMENT_FAILED", "data": {
        "paymentId": payment, "orderId": order, "amount": 7.00, "currency": "EUR", "version": 1,
        "reason": "declined", "createdAt": "2026-01-01T00:00:00Z",
    }})
    .to_string();
    let (id, key) = ("9f0c8f1e-6a55-4d2e-8f36-0c0a4f7f1c55", format!("order-{order}"));
    let event = json!({
        "id": id, "topic": "payment-events", "key": key, "type": "PAYMENT_FAILED", "source": "/payments",
        "time": "2026-01-01T00:00:00Z", "value": value, "attempt": 1,
    });
    peer().post("/internal/orders/events", &event).await.expect(204);
    let attributes =
        [("ce-id", id), ("ce-type", "PAYMENT_FAILED"), ("ce-topic", "payment-events"), ("ce-attempt", "2")];
    let again = attributes.iter().fold(
        peer().request("POST", "/internal/orders/events").header("ce-partitionkey", &key),
        |call, (name, value)| call.header(name, value),
    );
    again.body(value).await.expect(204);
    let cancelled = customer.order_becomes(order, "cancelled").await;
    assert_eq!(cancelled["reason"], "payment_failed", "{cancelled}");
    let steps = format!("SELECT count(*) FROM order_history WHERE order_id = {order} AND status = 'cancelled'");
    assert_eq!(Databases::of(&shop().host).number("orders_database", &steps).await, 1);
}

#[tokio::test]
async fn an_event_that_can_never_be_taken_in_is_422_with_the_reason() {
    for (component, kind) in
        [("products", "ORDER_CANCELLED"), ("orders", "PAYMENT_FAILED"), ("payments", "ORDER_CREATED")]
    {
        let value = json!({"type": kind, "data": {}}).to_string();
        let event = json!({"id": fresh_key(), "topic": "t", "type": kind, "value": value});
        let problem = peer().post(&format!("/internal/{component}/events"), &event).await.problem(422);
        assert!(problem["detail"].as_str().is_some_and(|why| why.contains("missing field")), "{component}: {problem}");
        peer().post(&format!("/internal/{component}/events"), &json!({"id": "1"})).await.problem(422);
    }
}

#[tokio::test]
async fn a_tick_does_the_work_of_the_clock() {
    for component in COMPONENTS {
        peer().request("POST", &format!("/internal/{component}/tick")).await.expect(204);
    }
}
