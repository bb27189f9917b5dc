//! A component in one language in place of the same in another, while customers pay.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use plaza_tests::{
    Setup, Shop,
    artifact::in_python,
    databases::Databases,
    invariants, sandbox,
    shop::{Customer, fresh_key, id_of},
    token::now_s,
    until,
};
use serde_json::{Value, json};

use crate::shop::keep_buying;

const PROVIDER: &str = "payment-sandbox";
const CUSTOMERS: usize = 3;

/// A customer with an order over 39.98, and its payment.
struct Buyer {
    customer: Customer,
    order: i64,
    payment: i64,
}

impl Buyer {
    async fn of(shop: &Shop, product: i64) -> Self {
        let customer = shop.customer().await;
        let order = id_of(&customer.order(&[(product, 2)]).await);
        let payment = id_of(&customer.payment_of(order).await);
        Self { customer, order, payment }
    }

    /// Pays with this token and returns what is the same in every such answer.
    async fn pay(&self, token: &str) -> Value {
        let answer = self.customer.confirm(self.payment, token).await;
        let said = answer.json();
        let acts = said["actionUrl"].as_str().is_some_and(|url| url.starts_with("https://sandbox.example/3ds/ch_"));
        json!([answer.status, said["status"], said["detail"], acts])
    }

    /// The provider tells how the customer's action ended; the status and the reason of the shop's answer.
    async fn told(&self, shop: &Shop, outcome: &str, secret: &str, timestamp_s: i64) -> Value {
        let notice = sandbox::notice(&format!("payment-{}-1", self.payment), outcome);
        let answer = sandbox::send(&shop.anyone(), &notice, secret, timestamp_s).await;
        let reason = (answer.status != 204).then(|| answer.json()["detail"].clone());
        json!([answer.status, reason])
    }

    async fn refund(&self, shop: &Shop, amount: f64, key: &str) -> Value {
        let body = json!({"amount": amount, "reason": "a scratch"});
        let path = format!("/api/v1/payments/{}/refunds", self.payment);
        let answer = shop.admin().await.post(&path, &body).key(key).await;
        let said = answer.json();
        json!([answer.status, said["amount"], said["detail"]])
    }

    /// Waits until so much was given back, as JSON shows it.
    async fn has_back(&self, amount: &str) {
        until(&format!("{amount} of payment {} are back", self.payment), async || {
            let payment = self.customer.client.get(&format!("/api/v1/payments/{}", self.payment)).await.expect(200);
            payment.text().contains(&format!(r#""refunded":{amount}"#)).then_some(())
        })
        .await;
    }

    /// Waits until the order is paid, which is until the provider's word has come through.
    async fn is_paid(&self) {
        self.customer.order_becomes(self.order, "paid").await;
    }

    /// What the provider remembers of the payment, a line for each key: what became of it, its code, how much is back.
    async fn remembered(&self, shop: &Shop) -> Vec<(String, String, i64)> {
        let charges = format!(
            "SELECT state, coalesce(code, ''), refunded_minor FROM charges WHERE payment_id = {} ORDER BY key",
            self.payment
        );
        Databases::of(&shop.host).rows("sandbox_database", &charges).await
    }
}

/// Pays with every token that the sandbox knows, and one that it does not, tells it how actions ended, and gives money back; returns all
/// that was answered and is remembered.
async fn everything(shop: &Shop, product: i64) -> Value {
    let buyer = || Buyer::of(shop, product);
    let (ok, declined, late, flaky) = tokio::join!(buyer(), buyer(), buyer(), buyer());
    let (acted, refused, unheard_of) = tokio::join!(buyer(), buyer(), buyer());
    let mut answers = vec![
        ok.pay("tok_ok").await,
        declined.pay("tok_declined").await,
        late.pay("tok_timeout").await,
        acted.pay("tok_3ds").await,
        refused.pay("tok_3ds").await,
        unheard_of.pay("tok_unheard_of").await,
    ];
    // Whether this one answers at once or later depends on who asks the provider again first.
    flaky.pay("tok_flaky").await;

    let now_s = now_s();
    answers.push(acted.told(shop, "succeeded", "another secret", now_s).await);
    answers.push(acted.told(shop, "succeeded", sandbox::SECRET, now_s - 310).await);
    answers.push(acted.told(shop, "maybe", sandbox::SECRET, now_s).await);
    answers.push(acted.told(shop, "succeeded", sandbox::SECRET, now_s).await);
    answers.push(acted.told(shop, "declined", sandbox::SECRET, now_s).await);
    answers.push(refused.told(shop, "declined", sandbox::SECRET, now_s).await);
    refused.customer.payment_becomes(refused.payment, "requires_payment").await;
    for paid in [&ok, &late, &flaky, &acted] {
        paid.is_paid().await;
    }
    let key = fresh_key();
    for (amount, key) in [(5.5, key.as_str()), (5.5, &key), (34.49, &fresh_key()), (34.48, &fresh_key())] {
        answers.push(ok.refund(shop, amount, key).await);
    }
    ok.has_back("39.98").await;
    let buyers = [ok, declined, late, flaky, acted, refused, unheard_of];
    let remembered = join_all(buyers.iter().map(|buyer| buyer.remembered(shop))).await;
    json!({"answers": answers, "remembered": remembered})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_in_python_takes_over_from_the_one_in_rust_and_gives_back_to_it() {
    let shop = {
        // Python may take a while on a busy machine; `tok_timeout` takes longer still.
        let setup = Setup::shop().variable(&sandbox::variable()).variable("provider_timeout_ms=5000");
        Shop::on(setup.start())
    };
    let product = shop.product("19.99", 1_000_000).await;
    let in_rust = everything(&shop, product).await;
    println!("{in_rust}");
    let begun_in_rust = [Buyer::of(&shop, product).await, Buyer::of(&shop, product).await];
    begun_in_rust[0].pay("tok_ok").await;
    begun_in_rust[0].is_paid().await;
    begun_in_rust[1].pay("tok_3ds").await;

    while_customers_pay(&shop, product, async || {
        let done = shop.host.deploy(PROVIDER, &in_python(PROVIDER), &[]).await.expect();
        assert!(done.text.contains("nothing was cut off"), "{}", done.text);
        println!("{}", done.text);
        assert_eq!(shop.host.version_of(PROVIDER).await, "v2");
        assert_eq!(everything(&shop, product).await, in_rust);
    })
    .await;
    finished(&shop, &begun_in_rust).await;
    let begun_in_python = [Buyer::of(&shop, product).await, Buyer::of(&shop, product).await];
    begun_in_python[0].pay("tok_ok").await;
    begun_in_python[0].is_paid().await;
    begun_in_python[1].pay("tok_3ds").await;

    while_customers_pay(&shop, product, async || {
        let done = shop.host.operate(&["rollback", PROVIDER]).await.expect();
        assert!(done.text.contains("nothing was cut off"), "{}", done.text);
        assert_eq!(everything(&shop, product).await, in_rust);
    })
    .await;
    finished(&shop, &begun_in_python).await;
    invariants::check(&Databases::of(&shop.host)).await;
}

/// Does something while customers order and pay; every answer to them is good.
async fn while_customers_pay(shop: &Shop, product: i64, act: impl AsyncFnOnce()) {
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let stop = AtomicBool::new(false);
    let buying = join_all(customers.iter().map(|customer| keep_buying(customer, product, &stop)));
    let acting = async {
        act().await;
        stop.store(true, Ordering::Relaxed);
    };
    let (paid, ()) = tokio::join!(buying, acting);
    println!("{} orders paid during a swap", paid.iter().sum::<usize>());
    let status = shop.host.status_of(PROVIDER).await;
    assert_eq!(status["failed"], 0, "{status}");
}

/// What the one provider began, the other ends: the first payment's money goes back, the second's customer has acted.
async fn finished(shop: &Shop, [paid, acting]: &[Buyer; 2]) {
    assert_eq!(paid.refund(shop, 39.98, &fresh_key()).await[0], 201);
    paid.has_back("39.98").await;
    assert_eq!(acting.told(shop, "succeeded", sandbox::SECRET, now_s()).await[0], 204);
    acting.is_paid().await;
}
