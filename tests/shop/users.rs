//! Accounts and sessions.

use plaza_tests::shop::{PASSWORD, fresh_email, id_of};
use serde_json::{Value, json};

use crate::shop;

fn registration(email: &str) -> Value {
    json!({"name": "Ada Lovelace", "email": email, "password": PASSWORD})
}

#[tokio::test]
async fn registering_answers_201_with_the_user_and_where_it_is() {
    let email = fresh_email();
    let answer = shop().anyone().post("/api/v1/users", &registration(&email)).await.expect(201);
    let user = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/users/{}", id_of(&user)));
    assert_eq!(user["email"], email.as_str());
    assert_eq!(user["name"], "Ada Lovelace");
    assert_eq!(user["active"], true);
    assert_eq!(user["role"], "customer");
    assert!(user["created_at"].as_str().unwrap().ends_with('Z') || user["created_at"].as_str().unwrap().contains('+'));
    let fields: Vec<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(fields.iter().all(|field| !field.contains("password")), "{fields:?}");
}

#[tokio::test]
async fn an_address_is_registered_once_whatever_its_case() {
    let email = fresh_email();
    shop().anyone().post("/api/v1/users", &registration(&email)).await.expect(201);
    shop().anyone().post("/api/v1/users", &registration(&email.to_uppercase())).await.problem(409);
}

#[tokio::test]
async fn the_administrators_address_cannot_be_registered() {
    shop().anyone().post("/api/v1/users", &registration("admin@example.com")).await.problem(409);
}

#[tokio::test]
async fn a_wrong_registration_lists_every_wrong_field() {
    let wrong = json!({"name": "A", "email": "not an address", "password": "short"});
    let answer = shop().anyone().post("/api/v1/users", &wrong).await;
    assert_eq!(answer.invalid_fields(), ["email", "name", "password"]);
}

#[tokio::test]
async fn what_is_unknown_missing_or_of_another_type_is_listed_in_one_answer() {
    let (anyone, customer) = (shop().anyone(), shop().customer().await);
    let wrong = json!({"name": 7, "password": "password", "role": "admin", "age": 36});
    let fields = anyone.post("/api/v1/users", &wrong).await.invalid_fields();
    assert_eq!(fields, ["age", "email", "name", "password", "role"]);
    let path = format!("/api/v1/users/{}", customer.id);
    let wrong = json!({"name": "A", "email": "nowhere", "active": "yes", "role": "king", "id": 1});
    let fields = customer.client.patch(&path, &wrong).await.invalid_fields();
    assert_eq!(fields, ["active", "email", "id", "name", "role"]);
    let fields = customer.client.request("PUT", &format!("{path}/password")).json(&json!({"new": "x", "old": "y"}));
    assert_eq!(fields.await.invalid_fields(), ["current", "new", "old"]);
    let fields = anyone.post("/api/v1/sessions", &json!({"email": 1, "user": "ada"})).await.invalid_fields();
    assert_eq!(fields, ["email", "password", "user"]);
    let fields = anyone.post("/api/v1/sessions/refresh", &json!({"token": "x"})).await.invalid_fields();
    assert_eq!(fields, ["refresh_token", "token"]);
}

#[tokio::test]
async fn an_unknown_field_is_refused() {
    let mut body = registration(&fresh_email());
    body["role"] = json!("admin");
    shop().anyone().post("/api/v1/users", &body).await.problem(422);
}

#[tokio::test]
async fn a_common_password_is_refused() {
    let mut body = registration(&fresh_email());
    body["password"] = json!("password123");
    assert_eq!(shop().anyone().post("/api/v1/users", &body).await.invalid_fields(), ["password"]);
}

#[tokio::test]
async fn malformed_json_is_400_and_another_media_type_415() {
    let anyone = shop().anyone();
    let broken = anyone.request("POST", "/api/v1/users").header("content-type", "application/json").body("{");
    broken.await.problem(400);
    let text = anyone.request("POST", "/api/v1/users").header("content-type", "text/plain").body("hello");
    text.await.problem(415);
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_405_and_says_which_it_knows() {
    let answer = shop().anyone().request("DELETE", "/api/v1/users").await;
    assert!(answer.header("allow").contains("POST"), "{:?}", answer.header("allow"));
    answer.problem(405);
}

#[tokio::test]
async fn logging_in_answers_a_session() {
    let customer = shop().customer().await;
    let body = json!({"email": customer.email.to_uppercase(), "password": PASSWORD});
    let session = shop().anyone().post("/api/v1/sessions", &body).await.expect(201).json();
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 600);
    assert_eq!(session["access_token"].as_str().unwrap().split('.').count(), 3);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_the_same_answer() {
    let customer = shop().customer().await;
    let mut answers = Vec::new();
    for email in [customer.email, fresh_email()] {
        let body = json!({"email": email, "password": "not the password"});
        let answer = shop().anyone().post("/api/v1/sessions", &body).await;
        let mut problem = answer.problem(401);
        for personal in ["instance", "requestId", "request_id"] {
            problem.as_object_mut().unwrap().remove(personal);
        }
        answers.push(problem);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn without_a_token_or_with_a_broken_one_the_answer_is_401_and_says_how() {
    let anyone = shop().anyone();
    for client in [anyone.clone(), anyone.with_token("a.b.c"), anyone.with_token("nonsense")] {
        let answer = client.get("/api/v1/orders").await;
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{:?}", answer.header("www-authenticate"));
        answer.problem(401);
    }
}

#[tokio::test]
async fn a_token_changed_by_one_letter_is_refused() {
    let customer = shop().customer().await;
    let token = plaza_tests::shop::log_in(&shop().anyone(), &customer.email, PASSWORD).await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{head}.{first}{}", &signature[1..]);
    shop().anyone().with_token(&forged).get("/api/v1/orders").await.problem(401);
}

#[tokio::test]
async fn a_user_is_read_by_its_owner_and_the_administrator_and_is_404_to_others() {
    let (owner, other) = (shop().customer().await, shop().customer().await);
    let path = format!("/api/v1/users/{}", owner.id);
    assert_eq!(owner.client.get(&path).await.expect(200).json()["email"], owner.email.as_str());
    shop().admin().await.get(&path).await.expect(200);
    other.client.get(&path).await.problem(404);
    shop().anyone().get(&path).await.problem(401);
    shop().admin().await.get("/api/v1/users/999999999").await.problem(404);
}

#[tokio::test]
async fn users_are_listed_in_pages_for_the_administrator_alone() {
    for _ in 0..3 {
        shop().customer().await;
    }
    let customer = shop().customer().await;
    customer.client.get("/api/v1/users").await.problem(403);
    let admin = shop().admin().await;
    let first = admin.get("/api/v1/users?limit=2").await.expect(200);
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    let next = next_page(first.header("link"));
    let second = admin.get(&next).await.expect(200).json();
    assert_ne!(first.json()[0]["id"], second[0]["id"]);
    for wrong in ["limit=0", "limit=101", "limit=many", "cursor=nonsense"] {
        admin.get(&format!("/api/v1/users?{wrong}")).await.problem(422);
    }
}

/// The path and query of the `rel="next"` link.
fn next_page(link: &str) -> String {
    assert!(link.contains(r#"rel="next""#), "no next page in {link:?}");
    let target = link.split(['<', '>']).nth(1).expect("a target between angle brackets");
    target[target.find("/api").expect("a path")..].to_owned()
}
