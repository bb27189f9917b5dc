//! Payments against the sandbox provider.

use futures::future::join_all;
use plaza_tests::databases::Databases;
use plaza_tests::shop::{Customer, fresh_key, id_of};
use plaza_tests::{Setup, Shop, until};
use serde_json::json;

use crate::shop;

/// A customer with one pending order: the customer, the order's number, its payment's number.
async fn pending_order() -> (Customer, i64, i64) {
    let product = shop().product("19.99", 5).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    let payment = id_of(&customer.payment_of(order).await);
    (customer, order, payment)
}

#[tokio::test]
async fn an_order_opens_a_payment_of_its_amount() {
    let (customer, order, payment) = pending_order().await;
    let answer = customer.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200);
    assert!(answer.text().contains(r#""amount":39.98"#), "{}", answer.text());
    let payment = answer.json();
    assert_eq!(payment["status"], "requires_payment");
    assert_eq!(payment["orderId"], order);
    assert_eq!(payment["userId"], customer.id);
    assert_eq!(payment["currency"], "EUR");
}

#[tokio::test]
async fn a_confirmed_payment_makes_the_order_paid() {
    let (customer, order, payment) = pending_order().await;
    let confirmed = customer.confirm(payment, "tok_ok").await.expect(200).json();
    assert_eq!(confirmed["status"], "succeeded");
    customer.order_becomes(order, "paid").await;
    customer.confirm(payment, "tok_ok").await.problem(409);
}

#[tokio::test]
async fn a_declined_payment_may_be_tried_again() {
    let (customer, order, payment) = pending_order().await;
    customer.confirm(payment, "tok_declined").await.problem(402);
    assert_eq!(customer.read_order(order).await["status"], "pending");
    customer.confirm(payment, "tok_ok").await.expect(200);
    customer.order_becomes(order, "paid").await;
}

#[tokio::test]
async fn five_declines_cancel_the_payment_and_the_order() {
    let (customer, order, payment) = pending_order().await;
    for _ in 0..5 {
        customer.confirm(payment, "tok_declined").await.problem(402);
    }
    customer.payment_becomes(payment, "cancelled").await;
    let order = customer.order_becomes(order, "cancelled").await;
    assert_eq!(order["reason"], "payment_failed");
    customer.confirm(payment, "tok_ok").await.problem(409);
}

#[tokio::test]
async fn a_provider_that_fails_twice_is_asked_again_and_charges_once() {
    let (customer, order, payment) = pending_order().await;
    let answer = customer.confirm(payment, "tok_flaky").await;
    assert!([200, 202].contains(&answer.status), "{} {}", answer.status, answer.text());
    customer.order_becomes(order, "paid").await;
    let (_, charges, minor) = charged(payment).await;
    assert_eq!((charges, minor), (1, 3998));
}

/// How often the provider was asked for the payment's money, how often it took some, and how much.
async fn charged(payment: i64) -> (i64, i64, i64) {
    let query = format!(
        "SELECT coalesce(sum(calls), 0)::bigint, count(*) FILTER (WHERE state = 'succeeded'),
                coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0)::bigint
         FROM charges WHERE payment_id = {payment}"
    );
    Databases::of(&shop().host).rows("sandbox_database", &query).await.remove(0)
}

#[tokio::test]
async fn an_answer_after_the_deadline_is_202_and_ends_in_exactly_one_charge() {
    let (customer, order, payment) = pending_order().await;
    let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
    let send = async || customer.client.post(&path, &json!({"token": "tok_timeout"})).key(&key).await;
    // Had it waited for the provider, it would be 200.
    let first = send().await.expect(202);
    assert_eq!(first.json()["status"], "processing");
    let second = send().await.expect(202);
    assert_eq!(first.bytes(), second.bytes());
    assert_eq!(second.header("idempotent-replayed"), "true");
    customer.order_becomes(order, "paid").await;
    customer.payment_becomes(payment, "succeeded").await;
    assert_eq!(charged(payment).await, (1, 1, 3998));
    assert_eq!(send().await.expect(202).bytes(), first.bytes());
    customer.confirm(payment, "tok_ok").await.problem(409);
    assert_eq!(charged(payment).await, (1, 1, 3998));
}

#[tokio::test]
async fn while_an_answer_is_awaited_no_other_attempt_begins() {
    let (customer, order, payment) = pending_order().await;
    let (late, eager) = tokio::join!(customer.confirm(payment, "tok_timeout"), async {
        customer.payment_becomes(payment, "processing").await;
        customer.confirm(payment, "tok_ok").await
    });
    eager.problem(409);
    late.expect(202);
    customer.order_becomes(order, "paid").await;
    assert_eq!(charged(payment).await, (1, 1, 3998));
}

#[tokio::test]
async fn an_order_cancelled_while_the_answer_is_awaited_gets_its_one_charge_back() {
    let (customer, order, payment) = pending_order().await;
    customer.confirm(payment, "tok_timeout").await.expect(202);
    customer.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    plaza_tests::until("the money is back", async || {
        let payment = customer.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200).json();
        (payment["refunded"] == payment["amount"]).then_some(())
    })
    .await;
    assert_eq!(charged(payment).await, (1, 1, 3998));
    assert_eq!(customer.read_order(order).await["status"], "cancelled");
}

#[tokio::test]
async fn calls_that_nobody_waits_for_any_more_leave_nothing_behind() {
    let product = shop().product("1.00", 100).await;
    let customer = shop().customer().await;
    let payments = join_all((0..20).map(|_| async {
        let order = id_of(&customer.order(&[(product, 1)]).await);
        (order, id_of(&customer.payment_of(order).await))
    }))
    .await;
    let answers = join_all(payments.iter().map(|(_, payment)| customer.confirm(*payment, "tok_timeout"))).await;
    answers.into_iter().for_each(|answer| drop(answer.expect(202)));
    for (order, payment) in payments {
        customer.order_becomes(order, "paid").await;
        assert_eq!(charged(payment).await, (1, 1, 100));
    }
    plaza_tests::until("the provider has let go of every call", async || {
        (shop().host.in_flight_of("payment-sandbox").await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn confirming_repeats_the_first_answer_under_the_same_key() {
    let (customer, _, payment) = pending_order().await;
    let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
    let send = async || customer.client.post(&path, &json!({"token": "tok_ok"})).key(&key).await;
    let (first, second) = (send().await.expect(200), send().await.expect(200));
    assert_eq!(first.bytes(), second.bytes());
    assert_eq!(second.header("idempotent-replayed"), "true");
    let other = customer.client.post(&path, &json!({"token": "tok_declined"})).key(&key);
    other.await.problem(422);
}

#[tokio::test]
async fn confirming_needs_a_key_and_a_providers_token() {
    let (customer, _, payment) = pending_order().await;
    let path = format!("/api/v1/payments/{payment}/confirm");
    customer.client.post(&path, &json!({"token": "tok_ok"})).await.problem(400);
    customer.client.post(&path, &json!({"token": ""})).key(&fresh_key()).await.problem(422);
    customer.client.post(&path, &json!({"token": "tok_ok", "more": 1})).key(&fresh_key()).await.problem(422);
}

#[tokio::test]
async fn what_is_unknown_missing_or_of_another_type_is_listed_in_one_answer() {
    let (customer, _, payment) = pending_order().await;
    let confirm = format!("/api/v1/payments/{payment}/confirm");
    let wrong = json!({"token": 7, "amount": 1});
    let fields = customer.client.post(&confirm, &wrong).key(&fresh_key()).await.invalid_fields();
    assert_eq!(fields, ["amount", "token"]);
    let fields = customer.client.post(&confirm, &json!({"card": "x"})).key(&fresh_key()).await.invalid_fields();
    assert_eq!(fields, ["card", "token"]);
    let refunds = format!("/api/v1/payments/{payment}/refunds");
    let wrong = json!({"amount": 0, "currency": "EUR"});
    let fields = shop().admin().await.post(&refunds, &wrong).key(&fresh_key()).await.invalid_fields();
    assert_eq!(fields, ["amount", "currency", "reason"]);
}

#[tokio::test]
async fn another_customers_payment_is_404() {
    let (_, order, payment) = pending_order().await;
    let other = shop().customer().await;
    other.client.get(&format!("/api/v1/payments/{payment}")).await.problem(404);
    other.confirm(payment, "tok_ok").await.problem(404);
    let list = other.client.get(&format!("/api/v1/payments?orderId={order}")).await.expect(200).json();
    assert_eq!(list, json!([]));
    shop().anyone().get(&format!("/api/v1/payments/{payment}")).await.problem(401);
}

#[tokio::test]
async fn what_belongs_to_one_order_is_found_without_going_through_all_that_its_customer_has() {
    const OTHERS: i64 = 3000;
    const ASKED: i64 = 20;
    let shop = Shop::on(Setup::shop().start());
    let customer = shop.customer().await;
    let order = id_of(&customer.order(&[(shop.product("19.99", 5).await, 1)]).await);
    customer.payment_of(order).await;
    let mine = format!("/api/v1/notifications?orderId={order}");
    until("it is notified", async || customer.client.get(&mine).await.json().get(0).map(|_| ())).await;
    let databases = Databases::of(&shop.host);
    let id = customer.id;
    let payments = format!(
        "insert into payments (order_id, user_id, amount_minor, currency, status)
         select -number, {id}, 100, 'EUR', 'cancelled' from generate_series(1, {OTHERS}) as number"
    );
    let notifications = format!(
        "insert into notifications (user_id, order_id, type, subject, body)
         select {id}, -number, type, subject, body from notifications, generate_series(1, {OTHERS}) as number"
    );
    for (service, others) in [("payments", payments), ("notifications", notifications)] {
        let database = format!("{service}_database");
        databases.execute(&database, &others).await;
        let ask = async || {
            let list = customer.client.get(&format!("/api/v1/{service}?orderId={order}")).await.expect(200).json();
            assert_eq!(list.as_array().map(Vec::len), Some(1), "{service}");
        };
        let read = databases.rows_read(&database, service, ASKED, ask).await;
        assert!(read < OTHERS, "{service}: {read} rows for {ASKED} answers");
    }
}
