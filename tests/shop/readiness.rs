//! Whether the shop can say what is the matter with it.

use plaza_tests::{
    Shop,
    databases::Databases,
    shop::{fresh_key, order_body},
    until,
};
use serde_json::json;

/// Each part and the database without which it cannot work.
const PARTS: [(&str, &str); 5] = [
    ("users", "users_database"),
    ("products", "products_database"),
    ("orders", "orders_database"),
    ("payments", "payments_database"),
    ("payment-provider", "sandbox_database"),
];

#[tokio::test]
async fn a_part_whose_database_is_away_is_named_until_it_is_back() {
    let shop = Shop::start();
    let databases = Databases::of(&shop.host);
    let ready = async || shop.anyone().get("/health/ready").await;
    let everybody: serde_json::Map<_, _> = PARTS.iter().map(|(part, _)| ((*part).to_owned(), json!("ok"))).collect();
    let checks = everybody.into_iter().chain([("events".to_owned(), json!("ok"))]);
    let checks: serde_json::Map<_, _> = checks.collect();
    let all_well =
        until("everybody is there", async || Some(ready().await).filter(|answer| answer.status == 200)).await;
    assert_eq!(all_well.json(), json!({"status": "ok", "checks": checks}));
    for (part, database) in PARTS {
        let allow = |yes: bool| format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {yes}");
        let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
        databases.execute("postgres", &allow(false)).await;
        databases.execute("postgres", &hang_up).await;
        // On a busy machine another part may be late for once.
        let only = json!([{"field": part, "detail": "does not answer"}]);
        let answer = until(&format!("{part} alone does not answer"), async || {
            Some(ready().await).filter(|answer| answer.status == 503 && answer.json()["errors"] == only)
        })
        .await;
        assert_eq!(answer.header("retry-after"), "1");
        let problem = answer.problem(503);
        assert_eq!(problem["detail"], format!("These do not answer: {part}."));
        shop.anyone().get("/health").await.expect(200);
        databases.execute("postgres", &allow(true)).await;
        until("everybody is back", async || (ready().await.status == 200).then_some(())).await;
    }
}

#[tokio::test]
async fn that_a_part_was_away_is_not_kept_under_an_idempotency_key() {
    let shop = Shop::start();
    let (databases, product, customer) =
        (Databases::of(&shop.host), shop.product("10.00", 5).await, shop.customer().await);
    let (key, body) = (fresh_key(), order_body(&[(product, 2)]));
    let send = async || customer.client.post("/api/v1/orders", &body).key(&key).await;
    databases.execute("postgres", "ALTER DATABASE products_database ALLOW_CONNECTIONS false").await;
    let hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'products_database'";
    databases.execute("postgres", hang_up).await;
    for _ in 0..2 {
        let unavailable = send().await;
        assert!(!unavailable.header("retry-after").is_empty());
        unavailable.problem(503);
    }
    databases.execute("postgres", "ALTER DATABASE products_database ALLOW_CONNECTIONS true").await;
    let placed = until("the order is placed", async || Some(send().await).filter(|answer| answer.status == 201)).await;
    assert_eq!(placed.header("idempotent-replayed"), "");
    let repeated = send().await.expect(201);
    assert_eq!((repeated.header("idempotent-replayed"), repeated.bytes()), ("true", placed.bytes()));
    assert_eq!(shop.stock(product).await, 3);
}
