//! Products and their stock.

use plaza_tests::{databases::Databases, shop::id_of, until};
use serde_json::{Value, json};

use crate::shop;

fn teapot() -> Value {
    json!({
        "name": "Teapot", "description": "Holds one litre", "category": "kitchen",
        "price": 19.99, "currency": "EUR", "stock": 10,
    })
}

#[tokio::test]
async fn a_created_product_is_read_by_anyone_with_its_exact_price() {
    let created = shop().admin().await.post("/api/v1/products", &teapot()).await.expect(201);
    let id = id_of(&created.json());
    assert_eq!(created.header("location"), format!("/api/v1/products/{id}"));
    let read = shop().anyone().get(&format!("/api/v1/products/{id}")).await.expect(200);
    assert!(read.text().contains(r#""price":19.99"#), "{}", read.text());
    let product = read.json();
    assert_eq!(product["stock"], 10);
    assert_eq!(product["currency"], "EUR");
    assert_eq!(product["active"], true);
    assert_eq!(product["category"], "kitchen");
    assert!(product["createdAt"].is_string() && product["updatedAt"].is_string());
}

#[tokio::test]
async fn only_the_administrator_creates_products() {
    let customer = shop().customer().await;
    shop().anyone().post("/api/v1/products", &teapot()).await.problem(401);
    customer.client.post("/api/v1/products", &teapot()).await.problem(403);
}

#[tokio::test]
async fn a_wrong_product_lists_every_wrong_field() {
    let wrong = json!({
        "name": "", "description": "Holds one litre", "category": "kitchen",
        "price": -1, "currency": "USD", "stock": -1,
    });
    let fields = shop().admin().await.post("/api/v1/products", &wrong).await.invalid_fields();
    assert_eq!(fields, ["currency", "name", "price", "stock"]);
}

#[tokio::test]
async fn what_is_unknown_missing_or_of_another_type_in_a_product_is_listed_in_one_answer() {
    let admin = shop().admin().await;
    let wrong = json!({"name": 7, "price": "19.99", "currency": "eur", "stock": 1.5, "colour": "red"});
    let fields = admin.post("/api/v1/products", &wrong).await.invalid_fields();
    assert_eq!(fields, ["category", "colour", "currency", "name", "price", "stock"]);
    let path = format!("/api/v1/products/{}", shop().product("1.00", 1).await);
    let wrong = json!({"name": "", "category": 3, "price": 0, "active": "no", "stock": 5});
    let fields = admin.patch(&path, &wrong).await.invalid_fields();
    assert_eq!(fields, ["active", "category", "name", "price", "stock"]);
    let fields = admin.post(&format!("{path}/stock"), &json!({"delta": 0, "by": "me"})).await.invalid_fields();
    assert_eq!(fields, ["by", "delta", "reason"]);
}

#[tokio::test]
async fn a_price_in_another_currency_is_refused() {
    let mut body = teapot();
    body["currency"] = json!("USD");
    assert_eq!(shop().admin().await.post("/api/v1/products", &body).await.invalid_fields(), ["currency"]);
}

#[tokio::test]
async fn a_price_has_two_decimals_at_most() {
    let mut body = teapot();
    body["price"] = json!(19.999);
    assert_eq!(shop().admin().await.post("/api/v1/products", &body).await.invalid_fields(), ["price"]);
}

#[tokio::test]
async fn a_walk_over_the_pages_meets_every_product_once() {
    let mut created = Vec::new();
    for _ in 0..5 {
        created.push(shop().product("1.00", 1).await);
    }
    let (mut met, mut page) = (Vec::new(), "/api/v1/products?limit=3".to_owned());
    loop {
        let answer = shop().anyone().get(&page).await.expect(200);
        met.extend(answer.json().as_array().unwrap().iter().map(id_of));
        let Some(target) = answer.header("link").split(['<', '>']).nth(1).map(str::to_owned) else { break };
        page = target[target.find("/api").unwrap()..].to_owned();
    }
    for id in created {
        assert_eq!(met.iter().filter(|met| **met == id).count(), 1, "product {id} in {met:?}");
    }
}

#[tokio::test]
async fn products_are_found_by_category() {
    let mut body = teapot();
    body["category"] = json!("rarities");
    let id = id_of(&shop().admin().await.post("/api/v1/products", &body).await.expect(201).json());
    let list = shop().anyone().get("/api/v1/products?category=rarities").await.expect(200).json();
    assert_eq!(list.as_array().unwrap().iter().map(id_of).collect::<Vec<_>>(), [id]);
}

#[tokio::test]
async fn stock_is_added_and_taken_by_the_administrator_but_never_below_what_is_reserved() {
    let product = shop().product("5.00", 3).await;
    let customer = shop().customer().await;
    customer.order(&[(product, 2)]).await;
    let admin = shop().admin().await;
    let path = format!("/api/v1/products/{product}/stock");
    let change = |delta: i64| json!({"delta": delta, "reason": "count"});
    admin.post(&path, &change(4)).await.expect(200);
    assert_eq!(shop().stock(product).await, 5);
    admin.post(&path, &change(-6)).await.problem(409);
    admin.post(&path, &change(-5)).await.expect(200);
    assert_eq!(shop().stock(product).await, 0);
    customer.client.post(&path, &change(1)).await.problem(403);
}

#[tokio::test]
async fn what_was_sold_comes_back_to_a_shelf_that_was_filled_up_meanwhile() {
    const MOST: i64 = 1_000_000_000;
    let product = shop().product("10.00", 5).await;
    let (admin, customer) = (shop().admin().await, shop().customer().await);
    let order = id_of(&customer.order(&[(product, 2)]).await);
    customer.pay(order).await;
    // As many deliveries would have done, which may bring a million each.
    let filled = format!(
        "WITH filled AS (UPDATE products SET on_hand = {} WHERE id = {product} RETURNING id)
         INSERT INTO movements (product_id, delta, reason) SELECT id, {}, 'deliveries' FROM filled",
        MOST - 1,
        MOST - 4,
    );
    Databases::of(&shop().host).execute("products_database", &filled).await;
    let path = format!("/api/v1/products/{product}/stock");
    let adjust = async |delta: i64| admin.post(&path, &json!({"delta": delta, "reason": "delivery"})).await;
    adjust(1).await.expect(200);
    adjust(1).await.problem(409);
    customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    until("the pieces are back", async || (shop().stock(product).await == MOST + 2).then_some(())).await;
    adjust(1).await.problem(409);
    assert_eq!(adjust(-1).await.expect(200).json()["stock"], MOST + 1);
}
