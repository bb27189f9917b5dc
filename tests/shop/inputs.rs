//! Inputs that no well-meaning client sends: each is refused with a word about what is wrong, and none is a fault of the
//! shop.

use plaza_tests::{
    Answer, Client,
    shop::{fresh_key, id_of},
    wire::Wire,
};
use serde_json::{Value, json};

use crate::shop;

/// Sends a body as it stands.
async fn post(client: &Client, path: &str, body: &str) -> Answer {
    let request = client.request("POST", path).header("content-type", "application/json");
    request.key(&fresh_key()).body(body).await
}

/// An opaque cursor that says this.
fn cursor(text: &str) -> String {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn a_character_that_no_text_has_is_told_of_wherever_it_stands() {
    let (anyone, admin) = (shop().anyone(), shop().admin().await);
    let product = shop().product("1.00", 9).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    let payment = id_of(&customer.payment_of(order).await);
    let bad = "tea\u{0}pot";
    for (path, body, fields) in [
        ("/api/v1/users", json!({"name": bad, "email": bad, "password": bad}), vec!["email", "name", "password"]),
        ("/api/v1/sessions", json!({"email": bad, "password": bad}), vec!["email", "password"]),
        ("/api/v1/sessions/refresh", json!({"refresh_token": bad}), vec!["refresh_token"]),
    ] {
        assert_eq!(anyone.post(path, &body).await.invalid_fields(), fields, "{path}");
    }
    let new = json!({"name": bad, "description": bad, "category": bad, "price": 1, "currency": bad});
    for (path, body, fields) in [
        ("/api/v1/products".to_owned(), new, vec!["category", "currency", "description", "name"]),
        (format!("/api/v1/products/{product}/stock"), json!({"delta": 1, "reason": bad}), vec!["reason"]),
        (format!("/api/v1/orders/{order}/ship"), json!({"carrier": bad, "tracking": bad}), vec!["carrier", "tracking"]),
        (format!("/api/v1/payments/{payment}/refunds"), json!({"reason": bad}), vec!["reason"]),
    ] {
        assert_eq!(admin.post(&path, &body).key(&fresh_key()).await.invalid_fields(), fields, "{path}");
    }
    for (query, field) in [
        ("q=a%00b".to_owned(), "q"),
        ("category=a%00b".to_owned(), "category"),
        ("sort=a%00b".to_owned(), "sort"),
        (format!("sort=name&cursor={}", cursor("name:1:a\u{0}b")), "cursor"),
    ] {
        assert_eq!(anyone.get(&format!("/api/v1/products?{query}")).await.invalid_fields(), [field], "{query}");
    }
    assert_eq!(customer.client.get("/api/v1/orders?status=%00").await.invalid_fields(), ["status"]);
    assert_eq!(customer.client.get("/api/v1/payments?orderId=%00").await.invalid_fields(), ["orderId"]);
}

#[tokio::test]
async fn one_answer_tells_the_faults_of_a_filter_and_of_its_page() {
    let customer = shop().customer().await.client;
    let wrong = customer.get("/api/v1/products?minPrice=x&limit=0&cursor=!").await;
    assert_eq!(wrong.invalid_fields(), ["cursor", "limit", "minPrice"]);
    let wrong = customer.get("/api/v1/orders?status=lost&limit=101&cursor=!").await;
    assert_eq!(wrong.invalid_fields(), ["cursor", "limit", "status"]);
    let wrong = customer.get("/api/v1/payments?orderId=0&limit=many&cursor=!").await;
    assert_eq!(wrong.invalid_fields(), ["cursor", "limit", "orderId"]);
    let wrong = shop().admin().await.get("/api/v1/users?limit=-1&cursor=!").await;
    assert_eq!(wrong.invalid_fields(), ["cursor", "limit"]);
}

#[tokio::test]
async fn a_cursor_from_beyond_time_is_not_one_that_a_list_gave() {
    let customer = shop().customer().await.client;
    for micros in [i64::MIN, i64::MAX, -1, 300_000_000_000_000_000, -200_000_000_000_000_000] {
        let place = cursor(&format!("{micros}.1"));
        for list in ["products", "products?sort=-created", "orders", "payments", "notifications"] {
            let separator = if list.contains('?') { '&' } else { '?' };
            let answer = customer.get(&format!("/api/v1/{list}{separator}cursor={place}")).await;
            assert_eq!(answer.invalid_fields(), ["cursor"], "{list} {micros}");
        }
    }
}

#[tokio::test]
async fn what_is_said_twice_is_told_of_since_nobody_can_know_which_is_meant() {
    let (anyone, customer) = (shop().anyone(), shop().customer().await.client);
    let twice = r#"{"name":"Ada","name":"Bob","email":"twice@example.com","password":"correct horse battery"}"#;
    assert_eq!(post(&anyone, "/api/v1/users", twice).await.invalid_fields(), ["name"]);
    let twice = r#"{"items":[{"productId":1,"quantity":1},{"productId":1,"quantity":2,"quantity":3}]}"#;
    assert_eq!(post(&customer, "/api/v1/orders", twice).await.invalid_fields(), ["items[1].quantity"]);
    let twice = anyone.get("/api/v1/products?limit=1&limit=2&sort=name&sort=price&utm=1&utm=2").await;
    assert_eq!(twice.invalid_fields(), ["limit", "sort"]);
}

#[tokio::test]
async fn a_body_that_is_no_json_or_goes_too_deep_is_malformed() {
    let anyone = shop().anyone();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_field = format!(r#"{{"name":{deep}}}"#);
    for body in ["", "{", "nul", r#"{"name":"\ud800"}"#, r#"{"\udfff":1}"#, "{\"name\":\"\u{1}\"}", &deep, &deep_field]
    {
        post(&anyone, "/api/v1/users", body).await.problem(400);
    }
    for bytes in [&b"{\"name\":\"\xff\"}"[..], b"\xef\xbb\xbf{}", b"\x00"] {
        let request = anyone.request("POST", "/api/v1/users").header("content-type", "application/json");
        request.body(bytes).await.problem(400);
    }
    for body in ["[]", "null", "7", "\"text\""] {
        assert_eq!(post(&anyone, "/api/v1/users", body).await.invalid_fields(), ["body"], "{body}");
    }
}

#[tokio::test]
async fn numbers_beyond_all_measure_are_wrong_fields() {
    let (admin, customer) = (shop().admin().await, shop().customer().await.client);
    for number in ["9223372036854775808", "-1e999", "1e400", "99999999999999999999999999999999999999.99"] {
        let order = format!(
            r#"{{"userId":{number},"items":[{{"productId":{number},"quantity":{number}}}],"expectedTotal":{number}}}"#
        );
        let wrong = post(&customer, "/api/v1/orders", &order).await.invalid_fields();
        assert_eq!(wrong, ["expectedTotal", "items[0].productId", "items[0].quantity", "userId"], "{number}");
        let product = format!(r#"{{"name":"Cup","category":"deep","price":{number},"stock":{number}}}"#);
        assert_eq!(post(&admin, "/api/v1/products", &product).await.invalid_fields(), ["price", "stock"], "{number}");
        let query = format!("/api/v1/products?minPrice={number}&limit={number}");
        assert_eq!(customer.get(&query).await.invalid_fields(), ["limit", "minPrice"], "{number}");
    }
}

#[tokio::test]
async fn a_body_of_another_kind_or_too_large_is_refused_by_its_own_status() {
    let anyone = shop().anyone();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""] {
        let request = anyone.request("POST", "/api/v1/users").header("content-type", kind);
        request.body("{}").await.problem(415);
    }
    anyone.request("POST", "/api/v1/users").body("{}").await.problem(415);
    // Nothing but the head: who is refused by it need not send the rest.
    for path in ["/api/v1/users", "/api/v1/payments/1/confirm"] {
        let mut wire = Wire::connect(shop().host.base()).await;
        let head = "host: shop\r\ncontent-type: application/json\r\ncontent-length: 1048577\r\n\r\n";
        wire.send(&format!("POST {path} HTTP/1.1\r\n{head}")).await;
        assert!(wire.receive_until("\r\n\r\n").await.starts_with("HTTP/1.1 413"), "{path}");
    }
}

#[tokio::test]
async fn a_precondition_that_is_no_entity_tag_is_malformed_and_a_foreign_one_fails() {
    let product = shop().product("1.00", 1).await;
    let (admin, path) = (shop().admin().await, format!("/api/v1/products/{product}"));
    let change = |tag: &str| admin.patch(&path, &json!({"name": "Pot"})).header("if-match", tag);
    for tag in ["", "1", "\"1", "W/1", "\"1\", \"2\"", "\"a b\"", "**"] {
        change(tag).await.problem(400);
        admin.request("DELETE", &path).header("if-match", tag).await.problem(400);
    }
    for tag in ["\"0\"", "\"x\"", "W/\"1\"", "\"01\"", "\"99999999999999999999\""] {
        change(tag).await.problem(412);
    }
    // What is wrong with the body comes first: it would be wrong for every version.
    let wrong = admin.patch(&path, &json!({"name": ""})).header("if-match", "\"x\"").await;
    assert_eq!(wrong.invalid_fields(), ["name"]);
    change("\"1\"").await.expect(200);
    change("*").await.expect(200);
}

#[tokio::test]
async fn an_idempotency_key_is_visible_ascii_of_a_bounded_length() {
    let product = shop().product("1.00", 9).await;
    let customer = shop().customer().await.client;
    let body = json!({"items": [{"productId": product, "quantity": 1}]});
    let order = |key: &str| customer.post("/api/v1/orders", &body).key(key);
    for key in ["", " ", "a b", "\"\"", "\"a", "a\"b", &"k".repeat(256)] {
        order(key).await.problem(400);
    }
    customer.post("/api/v1/orders", &body).await.problem(400);
    let first = order("!#~'%00").await.expect(201);
    assert_eq!(order("\"!#~'%00\"").await.expect(201).text(), first.text(), "quoted or bare, it is the same key");
    order(&"k".repeat(255)).await.expect(201);
}

#[tokio::test]
async fn headers_of_odd_bytes_are_refused_and_not_stumbled_over() {
    let head = |line: &str| format!("GET /api/v1/orders HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{line}\r\n\r\n");
    for line in
        ["authorization: Bearer \u{ff}\u{fe}", "authorization: \u{e9}", "authorization: Bearer", "authorization:"]
    {
        let mut wire = Wire::connect(shop().host.base()).await;
        wire.send(&head(line)).await;
        let answer = wire.receive_all().await.to_lowercase();
        assert!(answer.starts_with("http/1.1 401") && answer.contains("\r\nwww-authenticate: bearer"), "{answer}");
    }
    for line in ["origin: \u{ff}", "traceparent: \u{ff}", "x-request-id: \u{ff}", "x-forwarded-proto: \u{ff}"] {
        let mut wire = Wire::connect(shop().host.base()).await;
        wire.send(&head(line)).await;
        assert!(wire.receive_all().await.starts_with("HTTP/1.1 401"), "{line}");
    }
}

#[tokio::test]
async fn paths_of_percent_encoded_nonsense_lead_nowhere() {
    let admin = shop().admin().await;
    for path in ["%00", "%ff%fe", "%2e%2e%2f1", "1%00", "%31%2f", "%e2%82%ac", "1%20", "%u0031"] {
        for place in ["users", "products", "orders", "payments"] {
            admin.get(&format!("/api/v1/{place}/{path}")).await.problem(404);
        }
    }
    for provider in ["%00", "%ff", "sand%00box", "a%2fb"] {
        let path = format!("/api/v1/payments/webhooks/{provider}");
        shop().anyone().post(&path, &Value::Null).await.problem(404);
    }
}

#[tokio::test]
async fn a_text_is_measured_as_it_was_sent() {
    let admin = shop().admin().await;
    let new = |name: String| json!({"name": name, "category": "measured", "price": 1});
    admin.post("/api/v1/products", &new("é".repeat(200))).await.expect(201);
    let trimmed = admin.post("/api/v1/products", &new("  Jug\n".to_owned())).await.expect(201);
    assert_eq!(trimmed.json()["name"], "Jug");
    for name in ["é".repeat(201), format!("{}Jug", " ".repeat(200)), "  \n ".to_owned(), "a\u{7f}b".to_owned()] {
        assert_eq!(admin.post("/api/v1/products", &new(name)).await.invalid_fields(), ["name"]);
    }
}
