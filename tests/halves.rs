//! The shop on two hosts: accounts, stock and the provider on one, orders and payments on the other.

use plaza_tests::{
    halves::Halves,
    shop::{Customer, fresh_key, id_of, order_body},
    until,
};
use serde_json::json;

#[tokio::test]
async fn one_order_goes_through_both_halves_and_without_one_of_them_orders_are_503_until_it_is_back() {
    let halves = Halves::start(|setup| setup);
    let (product, ada) = (halves.first.product("19.99", 10).await, halves.customer().await);
    let order = id_of(&ada.order(&[(product, 2)]).await);
    let payment = id_of(&ada.payment_of(order).await);
    ada.confirm(payment, "tok_declined").await.problem(402);
    ada.confirm(payment, "tok_flaky").await.expect(200);
    let paid = ada.order_becomes(order, "paid").await;
    assert_eq!((&paid["totalAmount"], &paid["items"][0]["name"]), (&json!(39.98), &json!("Teapot")));
    assert_eq!(halves.first.stock(product).await, 8);

    let Halves { first, second: _second } = halves;
    let setup = first.host.kill();
    let (key, body) = (fresh_key(), order_body(&[(product, 1)]));
    // First because nobody is there, then because nobody is asked any more.
    for _ in 0..4 {
        let refused = ada.client.post("/api/v1/orders", &body).key(&key).await;
        let retry_after: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!(retry_after > 0);
        refused.problem(503);
    }
    assert_eq!(ada.read_order(order).await["status"], "paid");

    let first = setup.start();
    let taken = until("the same order is taken", async || {
        let answer = ada.client.post("/api/v1/orders", &body).key(&key).await;
        (answer.status != 503).then_some(answer)
    });
    let order = id_of(&taken.await.expect(201).json());
    ada.pay(order).await;
    let product = first.client().get(&format!("/api/v1/products/{product}")).await.expect(200).json();
    assert_eq!(product["stock"], 7);
}

#[tokio::test]
async fn what_one_half_refuses_comes_from_the_other_as_if_both_were_one() {
    let halves = Halves::start(|setup| setup);
    let (product, ada) = (halves.first.product("5.00", 3).await, halves.customer().await);
    let short = ada.try_order(&[(product, 4)]).await;
    assert!(short.text().contains("out-of-stock"), "{}", short.text());
    short.problem(409);
    ada.try_order(&[(999_999, 1)]).await.problem(422);
    assert_eq!(halves.first.stock(product).await, 3);
    let (admin, account) = (halves.first.admin().await, format!("/api/v1/users/{}", ada.id));
    admin.patch(&account, &json!({"active": false})).await.expect(200);
    ada.try_order(&[(product, 1)]).await.problem(403);

    // Who does not know the token is told nothing, and says to the operator what may be wrong.
    admin.patch(&account, &json!({"active": true})).await.expect(200);
    let second = halves.second.kill().variable("service_token=what one half alone knows").start();
    let ada = Customer { client: ada.client.reconnected(), ..ada };
    ada.try_order(&[(product, 1)]).await.problem(503);
    until("the log says what may be wrong", async || {
        second.stderr().text().contains("is it the right address, and the right service_token?").then_some(())
    })
    .await;
    assert!(!second.all_output().contains("what one half alone knows"));
}
