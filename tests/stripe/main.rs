//! The shop with Stripe as its provider: one line of the manifest is another. One host and one stand-in for Stripe serve
//! all the tests of this file but those that start and stop hosts.

use std::sync::LazyLock;

use plaza_tests::{
    Answer, Setup, Shop,
    manifest::Manifest,
    shop::{Customer, id_of},
    stripe::{RETURN_URL, SECRET_KEY, Stripe, WEBHOOK_SECRET, webhook},
};
use serde_json::Value;

mod charges;
mod events;
mod faults;
mod keys;
mod refunds;
mod swap;

/// The line that says who the provider is.
const SANDBOX: &str = r#""shop:payments/provider@1.0.0" = { component = "payment-sandbox" }"#;
/// The line that takes its place.
const STRIPE: &str = r#""shop:payments/provider@1.0.0" = { component = "payment-stripe" }"#;

/// The shop's manifest with that one line changed.
static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| Manifest::of_the_shop_with(SANDBOX, STRIPE));

/// The shop of these tests. It stops when this process ends.
fn shop() -> &'static Shop {
    static SHOP: LazyLock<Shop> = LazyLock::new(|| Shop::on(with_stripe(Setup::of(MANIFEST.path()), stripe()).start()));
    &SHOP
}

/// The stand-in for Stripe that this shop uses. Shops count their payments alike, so another shop has another one.
fn stripe() -> &'static Stripe {
    static ACCOUNT: LazyLock<Stripe> = LazyLock::new(Stripe::start);
    &ACCOUNT
}

/// With all that the component needs to know.
fn with_stripe(setup: Setup, stripe: &Stripe) -> Setup {
    setup
        .environment("SPIN_VARIABLE_STRIPE_API_URL", &stripe.url())
        .environment("SPIN_VARIABLE_STRIPE_SECRET_KEY", SECRET_KEY)
        .environment("SPIN_VARIABLE_STRIPE_WEBHOOK_SECRET", WEBHOOK_SECRET)
        .environment("SPIN_VARIABLE_STRIPE_RETURN_URL", RETURN_URL)
}

/// A customer of a shop with one pending order of 39.98.
struct Buyer {
    customer: Customer,
    order: i64,
    payment: i64,
}

impl Buyer {
    async fn of(shop: &Shop) -> Self {
        let product = shop.product("19.99", 5).await;
        let customer = shop.customer().await;
        let order = id_of(&customer.order(&[(product, 2)]).await);
        let payment = id_of(&customer.payment_of(order).await);
        Self { customer, order, payment }
    }

    /// The same, on the host that took another's place.
    fn reconnected(self) -> Self {
        let client = self.customer.client.reconnected();
        Self { customer: Customer { client, ..self.customer }, ..self }
    }

    /// Of the shop that all tests share.
    async fn new() -> Self {
        Self::of(shop()).await
    }

    /// Who has paid.
    async fn paid() -> Self {
        let buyer = Self::new().await;
        buyer.pay("pm_card_visa").await.expect(200);
        buyer.order_is("paid").await;
        buyer
    }

    async fn pay(&self, token: &str) -> Answer {
        self.customer.confirm(self.payment, token).await
    }

    async fn order_is(&self, status: &str) -> Value {
        self.customer.order_becomes(self.order, status).await
    }

    async fn payment_is(&self, status: &str) -> Value {
        self.customer.payment_becomes(self.payment, status).await
    }

    async fn cancel(&self) {
        let path = format!("/api/v1/orders/{}/cancel", self.order);
        self.customer.client.request("POST", &path).await.expect(200);
    }

    /// Waits until so much has gone back, as the payment shows it.
    async fn refunded(&self, shown: &str) {
        let path = format!("/api/v1/payments/{}", self.payment);
        let wanted = format!(r#""refunded":{shown}"#);
        plaza_tests::until(&format!("{shown} of payment {} went back", self.payment), async || {
            self.customer.client.get(&path).await.expect(200).text().contains(&wanted).then_some(())
        })
        .await;
    }

    /// Waits until the order is paid, for which Stripe has taken the money once.
    async fn is_charged_once(&self) {
        self.order_is("paid").await;
        assert_eq!(stripe().charged(self.payment), (1, 3998));
    }
}

/// Sends an event as Stripe does.
async fn tell(kind: &str, object: &Value) -> Answer {
    let body = webhook::event(kind, object);
    let now_s = webhook::now_s();
    let signature = format!("t={now_s},v1={}", webhook::signature(WEBHOOK_SECRET, now_s, &body));
    post(&body, &signature).await
}

/// Sends a body under this `Stripe-Signature`.
async fn post(body: &str, signature: &str) -> Answer {
    let request = shop().anyone().request("POST", "/api/v1/payments/webhooks/stripe");
    let request = request.header("content-type", "application/json").header("stripe-signature", signature);
    request.body(body).await
}
