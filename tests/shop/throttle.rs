//! Guessing passwords becomes slower with every failure.

use futures::future::join_all;
use plaza_tests::{
    Client, Shop,
    shop::{PASSWORD, fresh_email},
};
use serde_json::json;

use crate::shop;

async fn log_in(client: &Client, email: &str, password: &str) -> plaza_tests::Answer {
    client.post("/api/v1/sessions", &json!({"email": email, "password": password})).await
}

/// Waits until the answer is another one than 429, and returns its status.
async fn admitted(client: &Client, email: &str, password: &str) -> u16 {
    plaza_tests::until("the wait is over", async || {
        let status = log_in(client, email, password).await.status;
        (status != 429).then_some(status)
    })
    .await
}

#[tokio::test]
async fn after_five_failures_an_account_waits_longer_each_time_whether_it_exists_or_not() {
    let (anyone, customer) = (shop().anyone(), shop().customer().await);
    for email in [customer.email.clone(), fresh_email()] {
        for _ in 0..5 {
            log_in(&anyone, &email.to_uppercase(), "not the password").await.problem(401);
        }
        let refused = log_in(&anyone, &email, PASSWORD).await;
        assert_eq!(refused.header("retry-after"), "1");
        refused.problem(429);
        assert_eq!(admitted(&anyone, &email, "not the password").await, 401);
        let refused = log_in(&anyone, &email, PASSWORD).await;
        assert_eq!(refused.header("retry-after"), "2");
        refused.problem(429);
    }
    assert_eq!(admitted(&anyone, &customer.email, PASSWORD).await, 201);
    for _ in 0..5 {
        log_in(&anyone, &customer.email, "not the password").await.problem(401);
    }
    log_in(&anyone, &shop().customer().await.email, PASSWORD).await.expect(201);
}

#[tokio::test]
async fn guesses_made_at_once_are_counted_one_by_one() {
    let (anyone, email) = (shop().anyone(), shop().customer().await.email);
    let answers = join_all((0..40).map(|_| log_in(&anyone, &email, "not the password"))).await;
    let guesses = answers.iter().filter(|answer| answer.status == 401).count();
    assert!(answers.iter().all(|answer| [401, 429].contains(&answer.status)));
    assert_eq!(guesses, 5);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_either() {
    let customer = shop().customer().await;
    let path = format!("/api/v1/users/{}/password", customer.id);
    let change = async |current: &str| {
        let body = json!({"current": current, "new": "another horse battery"});
        customer.client.request("PUT", &path).json(&body).await
    };
    for _ in 0..5 {
        assert_eq!(change("not the password").await.invalid_fields(), ["current"]);
    }
    assert!(!change(PASSWORD).await.header("retry-after").is_empty());
}

#[tokio::test]
async fn a_hundred_failures_from_one_address_make_it_wait_on_every_account() {
    // A shop of its own: all the tests have the same address.
    let shop = Shop::start();
    let customer = shop.customer().await;
    let anyone = shop.anyone();
    for _ in 0..10 {
        let guess = async || log_in(&anyone, &fresh_email(), "not the password").await.status;
        assert_eq!(join_all((0..10).map(|_| guess())).await, [401; 10]);
        // Who has an account cannot wipe out what was counted against the address.
        log_in(&anyone, &customer.email, PASSWORD).await;
    }
    let refused = log_in(&anyone, &customer.email, PASSWORD).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(429);
    assert_eq!(admitted(&anyone, &customer.email, PASSWORD).await, 201);
    let spoofed = json!({"email": fresh_email(), "password": "not the password"});
    anyone.post("/api/v1/sessions", &spoofed).await.problem(401);
    let spoofing = anyone.post("/api/v1/sessions", &spoofed).header("x-forwarded-for", "192.0.2.7");
    spoofing.header("spin-client-addr", "192.0.2.7:1").await.problem(429);
}
