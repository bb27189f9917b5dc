//! Orders and their reservations.

use plaza_tests::databases::Databases;
use plaza_tests::shop::{fresh_key, id_of, order_body};
use plaza_tests::{Setup, Shop};
use serde_json::json;

use crate::shop;

#[tokio::test]
async fn an_order_snapshots_names_and_prices_and_takes_stock() {
    let (first, second) = (shop().product("19.99", 10).await, shop().product("0.05", 10).await);
    let customer = shop().customer().await;
    let answer = customer.try_order(&[(first, 2), (second, 3)]).await.expect(201);
    let order = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/orders/{}", id_of(&order)));
    assert_eq!(order["status"], "pending");
    assert_eq!(order["userId"], customer.id);
    assert_eq!(order["currency"], "EUR");
    assert!(answer.text().contains(r#""totalAmount":40.13"#), "{}", answer.text());
    assert_eq!(order["items"].as_array().unwrap().len(), 2);
    assert_eq!(order["items"][0]["name"], "Teapot");
    assert_eq!((shop().stock(first).await, shop().stock(second).await), (8, 7));
    assert_eq!(customer.read_order(id_of(&order)).await, order);
}

#[tokio::test]
async fn lines_of_the_same_product_are_merged() {
    let product = shop().product("1.00", 10).await;
    let order = shop().customer().await.order(&[(product, 2), (product, 3)]).await;
    assert_eq!(order["items"].as_array().unwrap().len(), 1);
    assert_eq!(order["items"][0]["quantity"], 5);
}

#[tokio::test]
async fn an_order_for_more_than_there_is_takes_nothing_of_anything() {
    let (plenty, scarce) = (shop().product("1.00", 10).await, shop().product("1.00", 1).await);
    let customer = shop().customer().await;
    customer.try_order(&[(plenty, 5), (scarce, 2)]).await.problem(409);
    assert_eq!((shop().stock(plenty).await, shop().stock(scarce).await), (10, 1));
}

#[tokio::test]
async fn an_order_for_a_product_that_does_not_exist_is_422() {
    shop().customer().await.try_order(&[(999_999_999, 1)]).await.problem(422);
}

#[tokio::test]
async fn quantities_and_the_number_of_lines_are_bounded() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    for lines in [vec![], vec![(product, 0)], vec![(product, -1)], vec![(product, 1001)], vec![(product, 1); 101]] {
        customer.try_order(&lines).await.problem(422);
    }
    assert_eq!(shop().stock(product).await, 10);
}

#[tokio::test]
async fn what_is_unknown_missing_or_of_another_type_is_listed_in_one_answer() {
    let customer = shop().customer().await;
    let wrong = json!({
        "userId": "me", "expectedTotal": "5.00", "coupon": "half",
        "items": [{"productId": 1, "quantity": 0}, {"quantity": 1}, {"productId": "x", "quantity": 1, "price": 1}, 7],
    });
    let fields = customer.client.post("/api/v1/orders", &wrong).key(&fresh_key()).await.invalid_fields();
    let expected = [
        "coupon",
        "expectedTotal",
        "items[0].quantity",
        "items[1].productId",
        "items[2].price",
        "items[2].productId",
        "items[3]",
        "userId",
    ];
    assert_eq!(fields, expected);
    let fields = customer.client.post("/api/v1/orders", &json!({"products": []})).key(&fresh_key()).await;
    assert_eq!(fields.invalid_fields(), ["items", "products"]);
    let ship = format!("/api/v1/orders/{}/ship", id_of(&customer.order(&[(shop().product("1.00", 1).await, 1)]).await));
    let fields = shop().admin().await.post(&ship, &json!({"carrier": "", "speed": 9})).await.invalid_fields();
    assert_eq!(fields, ["carrier", "speed", "tracking"]);
}

#[tokio::test]
async fn an_order_needs_a_token_and_a_key() {
    let body = order_body(&[(shop().product("1.00", 1).await, 1)]);
    shop().anyone().post("/api/v1/orders", &body).key(&fresh_key()).await.problem(401);
    shop().customer().await.client.post("/api/v1/orders", &body).await.problem(400);
}

#[tokio::test]
async fn an_order_in_anothers_name_is_403_and_in_ones_own_is_taken() {
    let product = shop().product("1.00", 5).await;
    let (customer, other) = (shop().customer().await, shop().customer().await);
    let mut body = order_body(&[(product, 1)]);
    body["userId"] = json!(other.id);
    customer.client.post("/api/v1/orders", &body).key(&fresh_key()).await.problem(403);
    body["userId"] = json!(customer.id);
    customer.client.post("/api/v1/orders", &body).key(&fresh_key()).await.expect(201);
}

#[tokio::test]
async fn an_order_whose_total_is_not_the_expected_one_is_409() {
    let product = shop().product("2.50", 5).await;
    let customer = shop().customer().await;
    let mut body = order_body(&[(product, 2)]);
    body["expectedTotal"] = json!(4.99);
    customer.client.post("/api/v1/orders", &body).key(&fresh_key()).await.problem(409);
    body["expectedTotal"] = json!(5.00);
    customer.client.post("/api/v1/orders", &body).key(&fresh_key()).await.expect(201);
}

#[tokio::test]
async fn the_same_key_repeats_the_first_answer_and_another_body_under_it_is_422() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    let key = fresh_key();
    let send =
        async |quantity| customer.client.post("/api/v1/orders", &order_body(&[(product, quantity)])).key(&key).await;
    let first = send(2).await.expect(201);
    let second = send(2).await.expect(201);
    assert_eq!(first.bytes(), second.bytes());
    assert_eq!(second.header("idempotent-replayed"), "true");
    send(3).await.problem(422);
    assert_eq!(shop().stock(product).await, 8);
}

#[tokio::test]
async fn another_customers_order_is_404() {
    let product = shop().product("1.00", 5).await;
    let (customer, other) = (shop().customer().await, shop().customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    for path in [format!("/api/v1/orders/{order}"), format!("/api/v1/orders/{order}/history")] {
        other.client.get(&path).await.problem(404);
        shop().admin().await.get(&path).await.expect(200);
    }
    other.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.problem(404);
    assert_eq!(other.client.get("/api/v1/orders").await.expect(200).json(), json!([]));
}

#[tokio::test]
async fn orders_are_listed_for_their_owner_by_status_and_page() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    for _ in 0..3 {
        customer.order(&[(product, 1)]).await;
    }
    let page = customer.client.get("/api/v1/orders?status=pending&limit=2").await.expect(200);
    assert_eq!(page.json().as_array().unwrap().len(), 2);
    assert!(page.header("link").contains(r#"rel="next""#));
    assert_eq!(customer.client.get("/api/v1/orders?status=paid").await.expect(200).json(), json!([]));
    customer.client.get("/api/v1/orders?status=lost").await.problem(422);
}

#[tokio::test]
async fn the_few_orders_in_a_status_are_found_without_going_through_all_that_there_are() {
    const OTHERS: i64 = 3000;
    const ASKED: i64 = 20;
    let shop = Shop::on(Setup::shop().start());
    let customer = shop.customer().await;
    let product = shop.product("19.99", 5).await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let databases = Databases::of(&shop.host);
    let others = |status: &str, from: i64| {
        format!(
            "INSERT INTO orders (id, user_id, reservation_id, status, total_minor, currency, version, created_at, updated_at, expires_at)
             SELECT -number, -1, gen_random_uuid(), '{status}', 100, 'EUR', 1, now(), now(), now() + interval '1 day'
             FROM generate_series({from}, {from} + {OTHERS} - 1) AS number"
        )
    };
    let merchant = shop.admin().await;
    for (client, status, from) in [(&merchant, "delivered", 1), (&customer.client, "pending", OTHERS + 1)] {
        databases.execute("orders_database", &others(status, from)).await;
        let ask = async || {
            let list = client.get("/api/v1/orders?status=pending").await.expect(200).json();
            assert_eq!((list.as_array().map(Vec::len), id_of(&list[0])), (Some(1), order));
        };
        let read = databases.rows_read("orders_database", "orders", ASKED, ask).await;
        assert!(read < OTHERS, "beside {status} ones: {read} rows for {ASKED} answers");
    }
}

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_and_cancels_its_payment() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 4)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    let path = format!("/api/v1/orders/{order}/cancel");
    let cancelled = customer.client.request("POST", &path).await.expect(200).json();
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["reason"], "user");
    plaza_tests::until("the stock is back", async || (shop().stock(product).await == 10).then_some(())).await;
    customer.payment_becomes(payment, "cancelled").await;
    customer.client.request("POST", &path).await.problem(409);
}

#[tokio::test]
async fn the_history_tells_every_step() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    let history = customer.client.get(&format!("/api/v1/orders/{order}/history")).await.expect(200).json();
    let steps: Vec<&str> = history.as_array().unwrap().iter().filter_map(|step| step["status"].as_str()).collect();
    assert_eq!(steps, ["pending", "paid"], "{history}");
}
