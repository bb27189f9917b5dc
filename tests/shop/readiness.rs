//! Whether the shop can say what is the matter with it.

use plaza_tests::{Shop, databases::Databases};
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
    assert_eq!(ready().await.expect(200).json(), json!({"status": "ok", "checks": everybody}));
    for (part, database) in PARTS {
        let allow = |yes: bool| format!("ALTER DATABASE {database} ALLOW_CONNECTIONS {yes}");
        let hang_up = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
        databases.execute("postgres", &allow(false)).await;
        databases.execute("postgres", &hang_up).await;
        let answer = ready().await;
        assert_eq!(answer.header("retry-after"), "1");
        let problem = answer.problem(503);
        assert_eq!(problem["errors"], json!([{"field": part, "detail": "does not answer"}]));
        assert_eq!(problem["detail"], format!("These do not answer: {part}."));
        shop.anyone().get("/health").await.expect(200);
        databases.execute("postgres", &allow(true)).await;
        plaza_tests::until("everybody is back", async || (ready().await.status == 200).then_some(())).await;
    }
}
