//! Guessing passwords becomes slower with every failure.

use std::time::Instant;

use futures::future::join_all;
use plaza_tests::{
    Client, Setup, Shop,
    client::Call,
    shop::{Customer, PASSWORD, fresh_email},
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

/// How long an account waits after its first failures, in seconds: none for four of them, then twice as long each time.
fn wait_s(failures: u32) -> u64 {
    failures.checked_sub(5).map_or(0, |beyond| 1 << beyond)
}

/// Guesses until told to wait for more than six seconds, and holds every wait against the failures before it. A wait begins with
/// the guess, not with its answer: a busy machine may see the first ones go by unnoticed.
async fn guess_until_told_to_wait(client: &Client, email: &str) {
    let mut failures = 0;
    plaza_tests::until("a wait of more than six seconds", async || {
        let answer = log_in(client, email, "not the password").await;
        if answer.status == 401 {
            failures += 1;
            return None;
        }
        let told: u64 = answer.header("retry-after").parse().expect("whole seconds");
        answer.problem(429);
        assert!((1..=wait_s(failures)).contains(&told), "to wait {told} s after {failures} failures");
        (told > 6).then_some(())
    })
    .await;
}

#[tokio::test]
async fn after_five_failures_an_account_waits_longer_each_time_whether_it_exists_or_not() {
    let (anyone, customer) = (shop().anyone(), shop().customer().await);
    for email in [customer.email.clone(), fresh_email()] {
        guess_until_told_to_wait(&anyone, &email.to_uppercase()).await;
        log_in(&anyone, &email, PASSWORD).await.problem(429);
    }
    assert_eq!(admitted(&anyone, &customer.email, PASSWORD).await, 201);
    // The success has cleared what was counted, and others were never held up.
    for _ in 0..4 {
        log_in(&anyone, &customer.email, "not the password").await.problem(401);
    }
    log_in(&anyone, &customer.email, PASSWORD).await.expect(201);
    log_in(&anyone, &shop().customer().await.email, PASSWORD).await.expect(201);
}

#[tokio::test]
async fn guesses_made_at_once_are_counted_one_by_one() {
    // A shop of its own: all the tests have the same address.
    let shop = Shop::start();
    let anyone = shop.anyone();
    shop.admin().await;
    // On one account after the other, for the first guesses make the rows that the next ones are to be counted in.
    for _ in 0..8 {
        let (email, began) = (fresh_email(), Instant::now());
        let answers = join_all((0..40).map(|_| log_in(&anyone, &email, "not the password"))).await;
        let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        // A machine that has too much else to do has no time to compare some of them; those may have been counted or not.
        let (guessed, undecided) = (with(401), with(503));
        assert_eq!(guessed + undecided + with(429), answers.len(), "{answers:?}");
        // One more for each wait that had time to pass: after one second, after three, after seven.
        let waits_over = (began.elapsed().as_secs() + 1).ilog2() as usize;
        assert!(guessed <= 5 + waits_over && guessed + undecided >= 5, "{guessed} guesses in {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_either() {
    let customer = shop().customer().await;
    let path = format!("/api/v1/users/{}/password", customer.id);
    let change = async |current: &str| {
        let body = json!({"current": current, "new": "another horse battery"});
        customer.client.request("PUT", &path).json(&body).await
    };
    let mut failures = 0;
    plaza_tests::until("a wait", async || {
        let answer = change("not the password").await;
        if answer.status == 429 {
            assert!(!answer.header("retry-after").is_empty());
            return Some(());
        }
        assert_eq!(answer.invalid_fields(), ["current"]);
        failures += 1;
        None
    })
    .await;
    assert!(failures >= 5, "refused after {failures} failures");
}

/// Guesses, as somebody whom `call` describes, until the address has to wait for a while. Every tenth time somebody who has an
/// account logs in: that cannot wipe out what was counted against the address.
async fn fail_until_the_address_waits(shop: &Shop, customer: &Customer, call: impl Fn(Call) -> Call) {
    let anyone = shop.anyone();
    let log_in = async |email: &str, password: &str| {
        call(anyone.post("/api/v1/sessions", &json!({"email": email, "password": password}))).await
    };
    for _ in 0..10 {
        let guess = async || log_in(&fresh_email(), "not the password").await.status;
        assert_eq!(join_all((0..10).map(|_| guess())).await, [401; 10]);
        log_in(&customer.email, PASSWORD).await;
    }
    // The first waits are so short that a busy machine may take as long to answer; each further failure doubles them.
    plaza_tests::until("the address has to wait for a while", async || {
        let guess = log_in(&fresh_email(), "not the password").await;
        guess.header("retry-after").parse().is_ok_and(|wait_s: u32| wait_s >= 8).then_some(())
    })
    .await;
    let refused = log_in(&customer.email, PASSWORD).await;
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(429);
}

#[tokio::test]
async fn a_hundred_failures_from_one_address_make_it_wait_on_every_account() {
    // A shop of its own: all the tests have the same address.
    let shop = Shop::start();
    let customer = shop.customer().await;
    let anyone = shop.anyone();
    fail_until_the_address_waits(&shop, &customer, |call| call).await;
    assert_eq!(admitted(&anyone, &customer.email, PASSWORD).await, 201);
    let spoofed = json!({"email": fresh_email(), "password": "not the password"});
    anyone.post("/api/v1/sessions", &spoofed).await.problem(401);
    for (name, value) in [
        ("x-forwarded-for", "192.0.2.7"),
        ("forwarded", "for=192.0.2.7"),
        ("x-real-ip", "192.0.2.7"),
        ("spin-client-addr", "192.0.2.7:1"),
    ] {
        anyone.post("/api/v1/sessions", &spoofed).header(name, value).await.problem(429);
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_waits_for_its_own_failures() {
    let shop = Shop::on(Setup::shop().argument("--trusted-proxy").argument("127.0.0.1").start());
    let customer = shop.customer().await;
    fail_until_the_address_waits(&shop, &customer, |call| call.header("x-forwarded-for", "192.0.2.1")).await;
    let log_in = async |forwarded: &str| {
        let body = json!({"email": customer.email, "password": PASSWORD});
        shop.anyone().post("/api/v1/sessions", &body).header("x-forwarded-for", forwarded).await
    };
    log_in("192.0.2.2").await.expect(201);
    // What the client itself has sent stands before what the proxy knows.
    log_in("192.0.2.1, 192.0.2.3").await.expect(201);
    log_in("192.0.2.3, 192.0.2.1").await.problem(429);
}
