//! What becomes of sessions, and of accounts that change.

use plaza_tests::{
    Client,
    shop::{PASSWORD, fresh_email, id_of},
};
use serde_json::{Value, json};

use crate::shop;

async fn log_in(email: &str, password: &str) -> Value {
    let body = json!({"email": email, "password": password});
    shop().anyone().post("/api/v1/sessions", &body).await.expect(201).json()
}

/// Asks for the next session with a refresh token.
async fn refresh(session: &Value) -> plaza_tests::Answer {
    let body = json!({"refresh_token": session["refresh_token"]});
    shop().anyone().post("/api/v1/sessions/refresh", &body).await
}

fn holder(session: &Value) -> Client {
    shop().anyone().with_token(session["access_token"].as_str().expect("a token"))
}

#[tokio::test]
async fn a_session_is_refreshed_with_a_new_token_each_time_and_reuse_ends_it() {
    let customer = shop().customer().await;
    let first = log_in(&customer.email, PASSWORD).await;
    let second = refresh(&first).await.expect(201).json();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    holder(&second).get(&format!("/api/v1/users/{}", customer.id)).await.expect(200);
    refresh(&first).await.problem(401);
    refresh(&second).await.problem(401);
    refresh(&json!({"refresh_token": "made up"})).await.problem(401);
}

#[tokio::test]
async fn logging_out_ends_the_session_and_no_other() {
    let customer = shop().customer().await;
    let (one, other) = (log_in(&customer.email, PASSWORD).await, log_in(&customer.email, PASSWORD).await);
    holder(&one).request("DELETE", "/api/v1/sessions/current").await.expect(204);
    refresh(&one).await.problem(401);
    refresh(&other).await.expect(201);
    shop().anyone().request("DELETE", "/api/v1/sessions/current").await.problem(401);
}

#[tokio::test]
async fn a_new_password_needs_the_current_one_and_ends_every_session() {
    let customer = shop().customer().await;
    let (session, path) = (log_in(&customer.email, PASSWORD).await, format!("/api/v1/users/{}/password", customer.id));
    let change =
        |current: &str, new: &str| customer.client.request("PUT", &path).json(&json!({"current": current, "new": new}));
    assert_eq!(change("not it", "another horse battery").await.invalid_fields(), ["current"]);
    assert_eq!(change(PASSWORD, "password123").await.invalid_fields(), ["new"]);
    change(PASSWORD, "another horse battery").await.expect(204);
    refresh(&session).await.problem(401);
    let old = json!({"email": customer.email, "password": PASSWORD});
    shop().anyone().post("/api/v1/sessions", &old).await.problem(401);
    log_in(&customer.email, "another horse battery").await;
    let stranger = shop().customer().await.client.request("PUT", &path);
    stranger.json(&json!({"current": "x", "new": "another horse battery"})).await.problem(404);
}

#[tokio::test]
async fn an_account_is_changed_by_its_owner_if_nobody_else_did_so_meanwhile() {
    let customer = shop().customer().await;
    let path = format!("/api/v1/users/{}", customer.id);
    let tag = customer.client.get(&path).await.expect(200).header("etag").to_owned();
    let change = |body: Value| customer.client.patch(&path, &body);
    let changed = change(json!({"name": "Ada Byron"})).header("if-match", &tag).await.expect(200);
    assert_eq!(changed.json()["name"], "Ada Byron");
    assert_ne!(changed.header("etag"), tag);
    change(json!({"name": "Augusta"})).header("if-match", &tag).await.problem(412);
    change(json!({"name": "Augusta"})).header("if-match", "\"nonsense\"").await.problem(412);
    change(json!({"name": "Augusta"})).header("if-match", "nonsense").await.problem(400);
    assert_eq!(customer.client.get(&path).await.expect(200).json()["name"], "Ada Byron");
    let email = fresh_email();
    let moved = change(json!({"email": email.to_uppercase()})).await.expect(200).json();
    assert_eq!(moved["email"], email.as_str());
    change(json!({"email": shop().customer().await.email})).await.problem(409);
    log_in(&email, PASSWORD).await;
    shop().customer().await.client.patch(&path, &json!({"name": "Eve"})).await.problem(404);
}

#[tokio::test]
async fn only_the_administrator_deactivates_and_promotes() {
    let customer = shop().customer().await;
    let path = format!("/api/v1/users/{}", customer.id);
    for change in [json!({"active": false}), json!({"role": "admin"}), json!({"name": "Ada", "role": "customer"})] {
        customer.client.patch(&path, &change).await.problem(403);
    }
    let session = log_in(&customer.email, PASSWORD).await;
    let promoted = shop().admin().await.patch(&path, &json!({"role": "admin"})).await.expect(200).json();
    assert_eq!(promoted["role"], "admin");
    refresh(&session).await.problem(401);
    holder(&log_in(&customer.email, PASSWORD).await).get("/api/v1/users").await.expect(200);
}

#[tokio::test]
async fn a_deactivated_account_reads_on_for_a_while_but_neither_orders_nor_pays_nor_cancels_nor_logs_in() {
    let product = shop().product("5.00", 5).await;
    let customer = shop().customer().await;
    let session = log_in(&customer.email, PASSWORD).await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    let path = format!("/api/v1/users/{}", customer.id);
    let off = shop().admin().await.patch(&path, &json!({"active": false})).await.expect(200).json();
    assert_eq!(off["active"], false);
    customer.read_order(order).await;
    customer.try_order(&[(product, 1)]).await.problem(403);
    customer.confirm(payment, "tok_ok").await.problem(403);
    let cancel = format!("/api/v1/orders/{order}/cancel");
    customer.client.request("POST", &cancel).await.problem(403);
    refresh(&session).await.problem(401);
    let body = json!({"email": customer.email, "password": PASSWORD});
    shop().anyone().post("/api/v1/sessions", &body).await.problem(401);
    shop().admin().await.patch(&path, &json!({"active": true})).await.expect(200);
    customer.confirm(payment, "tok_ok").await.expect(200);
    customer.client.request("POST", &cancel).await.expect(200);
}
