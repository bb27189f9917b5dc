//! Finding products, changing and archiving them, and the ledger of their pieces.

use plaza_tests::{
    databases::Databases,
    shop::{fresh_key, id_of, order_body},
};
use serde_json::{Value, json};

use crate::shop;

/// A trace that somebody else began.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Puts a product into the catalogue and returns its number.
async fn create(name: &str, category: &str, price: &str) -> i64 {
    let price: Value = serde_json::from_str(price).unwrap();
    let body = json!({"name": name, "description": "For the shelf", "category": category, "price": price, "stock": 3});
    id_of(&shop().admin().await.post("/api/v1/products", &body).await.expect(201).json())
}

/// The numbers of the products that a query finds, page by page.
async fn found(query: &str) -> Vec<i64> {
    let (mut found, mut page) = (Vec::new(), format!("/api/v1/products?{query}"));
    loop {
        let answer = shop().anyone().get(&page).await.expect(200);
        found.extend(answer.json().as_array().unwrap().iter().map(id_of));
        let Some(target) = answer.header("link").split(['<', '>']).nth(1).map(str::to_owned) else { break };
        page = target[target.find("/api").unwrap()..].to_owned();
    }
    found
}

#[tokio::test]
async fn products_are_found_by_words_category_and_price_and_sorted() {
    let cup = create("Blue cup", "sorted", "3.00").await;
    let bowl = create("Amber bowl", "sorted", "12.50").await;
    let plate = create("Cobalt plate", "sorted", "3.00").await;
    let other = create("Blue cup", "elsewhere", "3.00").await;
    let all = "category=sorted";
    for (query, expected) in [
        ("", vec![cup, bowl, plate]),
        ("&sort=created", vec![cup, bowl, plate]),
        ("&sort=-created", vec![plate, bowl, cup]),
        ("&sort=price", vec![cup, plate, bowl]),
        ("&sort=-price", vec![bowl, plate, cup]),
        ("&sort=name", vec![bowl, cup, plate]),
        ("&q=BLUE", vec![cup]),
        ("&q=shelf", vec![cup, bowl, plate]),
        ("&q=100%25", vec![]),
        ("&q=plate+cobalt", vec![plate]),
        ("&q=cob", vec![plate]),
        ("&q=%22amber+bowl%22", vec![bowl]),
        ("&q=%22bowl+amber%22", vec![]),
        ("&q=bowl+or+blu", vec![cup, bowl]),
        ("&q=shelf+-blue&sort=-price", vec![bowl, plate]),
        ("&q=sort", vec![cup, bowl, plate]),
        ("&q=_lue", vec![]),
        ("&q=%25", vec![]),
        ("&minPrice=3.01", vec![bowl]),
        ("&maxPrice=3", vec![cup, plate]),
        ("&minPrice=3&maxPrice=12.50&sort=name", vec![bowl, cup, plate]),
    ] {
        assert_eq!(found(&format!("{all}{query}")).await, expected, "{query}");
        assert_eq!(found(&format!("{all}{query}&limit=1")).await, expected, "{query}, one at a time");
    }
    assert_eq!(found("category=elsewhere&q=cup").await, [other]);
}

#[tokio::test]
async fn whatever_is_searched_for_is_no_mistake() {
    let kettle = create("O'Neill's kettle", "odd", "3.00").await;
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let odd = "' | \" | \\ | :* | a & b || ( a | - | -- | -\"a b | -\"a b\" c | or | or or | <-> | ² | a:A | % | _";
    let odd = odd.split(" | ").map(str::to_owned);
    for text in odd.chain([" ".repeat(9), "é".repeat(100), "\" ".repeat(50), "a|!b".to_owned()]) {
        shop().anyone().get(&format!("/api/v1/products?q={}", encoded(&text))).await.expect(200);
    }
    assert_eq!(found("category=odd&q=o%27neill%27s+kett").await, [kettle]);
    assert_eq!(found("category=odd&q=++").await, [kettle], "no words are as if none were given");
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_422() {
    let anyone = shop().anyone();
    let wrong = anyone.get("/api/v1/products?sort=colour&minPrice=x&maxPrice=1.999").await;
    assert_eq!(wrong.invalid_fields(), ["maxPrice", "minPrice", "sort"]);
    for query in ["limit=0", "limit=101", "cursor=nonsense", "sort=price&cursor=nonsense"] {
        anyone.get(&format!("/api/v1/products?{query}")).await.problem(422);
    }
}

#[tokio::test]
async fn a_product_is_changed_if_nobody_else_did_so_meanwhile() {
    let path = format!("/api/v1/products/{}", create("Jug", "changed", "5.00").await);
    let admin = shop().admin().await;
    let tag = shop().anyone().get(&path).await.expect(200).header("etag").to_owned();
    let change = |body: Value| admin.patch(&path, &body);
    let changed = change(json!({"price": 6.25, "name": "Tall jug"})).header("if-match", &tag).await.expect(200);
    assert!(changed.text().contains(r#""price":6.25"#), "{}", changed.text());
    assert_eq!(changed.json()["category"], "changed");
    change(json!({"price": 7})).header("if-match", &tag).await.problem(412);
    admin.request("DELETE", &path).header("if-match", &tag).await.problem(412);
    shop().customer().await.client.patch(&path, &json!({"price": 0.01})).await.problem(403);
    assert_eq!(shop().anyone().get(&path).await.expect(200).json()["name"], "Tall jug");
}

#[tokio::test]
async fn orders_do_not_come_between_an_administrator_and_a_change() {
    let product = create("Pot", "unmoved", "5.00").await;
    let path = format!("/api/v1/products/{product}");
    let tag = shop().anyone().get(&path).await.expect(200).header("etag").to_owned();
    shop().customer().await.order(&[(product, 1)]).await;
    assert_eq!(shop().stock(product).await, 2);
    let change = shop().admin().await.patch(&path, &json!({"name": "Tall pot"})).header("if-match", &tag);
    change.await.expect(200);
}

#[tokio::test]
async fn an_archived_product_leaves_the_catalogue_and_cannot_be_ordered_but_orders_keep_it() {
    let product = create("Mug", "archived", "4.00").await;
    let (customer, path) = (shop().customer().await, format!("/api/v1/products/{product}"));
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.client.request("DELETE", &path).await.problem(403);
    shop().admin().await.request("DELETE", &path).await.expect(204);
    shop().anyone().get(&path).await.problem(404);
    assert_eq!(shop().admin().await.get(&path).await.expect(200).json()["active"], false);
    assert!(found("category=archived").await.is_empty());
    customer.try_order(&[(product, 1)]).await.problem(422);
    assert_eq!(customer.read_order(order).await["items"][0]["name"], "Mug");
    assert_eq!(customer.pay(order).await["status"], "paid");
    shop().admin().await.patch(&path, &json!({"active": true})).await.expect(200);
    assert_eq!(found("category=archived").await, [product]);
}

#[tokio::test]
async fn the_ledger_tells_every_movement_and_adds_up() {
    let product = create("Vase", "counted", "4.00").await;
    let (admin, customer) = (shop().admin().await, shop().customer().await);
    let path = format!("/api/v1/products/{product}");
    admin.post(&format!("{path}/stock"), &json!({"delta": 4, "reason": "delivery"})).await.expect(200);
    let order = id_of(&customer.order(&[(product, 2)]).await);
    customer.pay(order).await;
    customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    plaza_tests::until("the pieces are back", async || (shop().stock(product).await == 7).then_some(())).await;
    let ledger = admin.get(&format!("{path}/movements")).await.expect(200).json();
    let rows: Vec<(i64, &str)> = ledger
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["delta"].as_i64().unwrap(), row["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [(3, "first stock"), (4, "delivery"), (-2, "sold"), (2, "returned")]);
    let first = admin.get(&format!("{path}/movements?limit=1")).await.expect(200);
    assert!(first.header("link").contains(r#"rel="next""#));
    customer.client.get(&format!("{path}/movements")).await.problem(403);
}

#[tokio::test]
async fn a_product_that_falls_below_five_pieces_is_told_of_once_each_time_it_does() {
    let product = shop().product("1.00", 7).await;
    let (admin, customer) = (shop().admin().await, shop().customer().await);
    let trace = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let adjust = async |delta: i64| {
        let path = format!("/api/v1/products/{product}/stock");
        admin.post(&path, &json!({"delta": delta, "reason": "count"})).header("traceparent", &trace).await.expect(200);
    };
    for _ in 0..4 {
        let order = customer.client.post("/api/v1/orders", &order_body(&[(product, 1)])).key(&fresh_key());
        order.header("traceparent", &trace).await.expect(201);
    }
    adjust(2).await;
    adjust(-2).await;
    let query = format!(
        "SELECT type, data::text FROM outbox
         WHERE key = 'product-{product}' AND topic = 'product-events' AND published_at IS NOT NULL ORDER BY seq"
    );
    let told = plaza_tests::until("both are published", async || {
        let rows = Databases::of(&shop().host).rows::<(String, String)>("products_database", &query).await;
        (rows.len() >= 2).then_some(rows)
    })
    .await;
    let stocks: Vec<(String, Value)> = told
        .into_iter()
        .map(|(kind, data)| (kind, serde_json::from_str::<Value>(&data).unwrap()["stock"].clone()))
        .collect();
    assert_eq!(stocks, [("STOCK_LOW".to_owned(), json!(4)), ("STOCK_LOW".to_owned(), json!(3))]);
    let traced =
        format!("SELECT count(*) FROM outbox WHERE key = 'product-{product}' AND traceparent LIKE '00-{TRACE}-%'");
    let traced = Databases::of(&shop().host).number("products_database", &traced).await;
    assert_eq!(traced, 2, "what an order and an administrator caused belongs to the traces of those requests");
}
