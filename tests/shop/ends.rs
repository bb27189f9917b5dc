//! What ends after its time: idempotency keys after a day, sessions after a month. Time itself is moved in the database.

use plaza_tests::{
    databases::Databases,
    shop::{PASSWORD, fresh_key, id_of, order_body},
    until,
};
use serde_json::json;

use crate::shop;

async fn move_back(database: &str, table: &str, column: &str, interval: &str, whose: &str) {
    let statement = format!("UPDATE {table} SET {column} = {column} - interval '{interval}' WHERE {whose}");
    Databases::of(&shop().host).execute(database, &statement).await;
}

#[tokio::test]
async fn a_key_is_remembered_for_a_day() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    let key = fresh_key();
    let send = async |quantity: i64| {
        customer.client.post("/api/v1/orders", &order_body(&[(product, quantity)])).key(&key).await
    };
    let age = async |by: &str| {
        move_back("orders_database", "idempotency_keys", "created_at", by, &format!("key = '{key}'")).await;
    };
    let first = send(1).await.expect(201);
    age("23 hours 59 minutes").await;
    assert_eq!(send(1).await.expect(201).bytes(), first.bytes());
    send(2).await.problem(422);

    age("1 minute 1 second").await;
    let second = send(2).await.expect(201);
    assert!(second.header("idempotent-replayed").is_empty());
    assert_ne!(id_of(&second.json()), id_of(&first.json()));
    assert_eq!(send(2).await.expect(201).bytes(), second.bytes());
    send(1).await.problem(422);
    assert_eq!(shop().stock(product).await, 7);
}

#[tokio::test]
async fn keys_whose_day_is_over_are_forgotten() {
    let product = shop().product("1.00", 10).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    let mine = format!("user_id = {}", customer.id);
    for database in ["orders_database", "payments_database"] {
        let count = format!("SELECT count(*) FROM idempotency_keys WHERE {mine}");
        assert_eq!(Databases::of(&shop().host).number(database, &count).await, 1);
        move_back(database, "idempotency_keys", "created_at", "25 hours", &mine).await;
        until("the clock has forgotten it", async || {
            (Databases::of(&shop().host).number(database, &count).await == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_session_ends_after_thirty_days_however_often_it_was_refreshed() {
    let customer = shop().customer().await;
    let credentials = json!({"email": customer.email, "password": PASSWORD});
    let mut session = shop().anyone().post("/api/v1/sessions", &credentials).await.expect(201).json();
    let refresh = async |session: &serde_json::Value| {
        let body = json!({"refresh_token": session["refresh_token"]});
        shop().anyone().post("/api/v1/sessions/refresh", &body).await
    };
    let mine = format!("user_id = {}", customer.id);
    let age = async |by: &str| {
        move_back("users_database", "sessions", "expires_at", by, &mine).await;
        move_back("users_database", "sessions", "created_at", by, &mine).await;
    };
    for _ in 0..2 {
        age("14 days 23 hours 59 minutes").await;
        session = refresh(&session).await.expect(201).json();
    }
    let lasts = format!("SELECT DISTINCT extract(day FROM expires_at - created_at)::bigint FROM sessions WHERE {mine}");
    assert_eq!(Databases::of(&shop().host).number("users_database", &lasts).await, 30);
    age("2 minutes 1 second").await;
    refresh(&session).await.problem(401);
    // Who knows the password begins anew.
    shop().anyone().post("/api/v1/sessions", &credentials).await.expect(201);
}
