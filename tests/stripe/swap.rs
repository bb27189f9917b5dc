//! One provider in place of the other, and what the other began.

use plaza_tests::{
    Setup, Shop,
    databases::Databases,
    manifest::Manifest,
    shop::fresh_key,
    stripe::{Stripe, webhook},
};
use serde_json::json;

use crate::{Buyer, MANIFEST, SANDBOX, STRIPE, with_stripe};

#[tokio::test]
async fn what_one_provider_began_waits_for_it_and_the_other_takes_what_is_new() {
    let (shop, stripe) = (Shop::start(), Stripe::start());
    let (paid, acting) = (Buyer::of(&shop).await, Buyer::of(&shop).await);
    paid.pay("tok_ok").await.expect(200);
    paid.order_is("paid").await;
    acting.pay("tok_3ds").await.expect(202);

    let shop = shop.killed_and_served_by(|setup| with_stripe(setup.manifest(MANIFEST.path()), &stripe));
    let (paid, acting) = (paid.reconnected(), acting.reconnected());
    shop.anyone().post("/api/v1/payments/webhooks/sandbox", &json!({})).await.problem(404);
    let refunds = format!("/api/v1/payments/{}/refunds", paid.payment);
    shop.admin().await.post(&refunds, &json!({"reason": "broken"})).key(&fresh_key()).await.expect(201);
    let fresh = Buyer::of(&shop).await;
    fresh.pay("pm_card_visa").await.expect(200);
    fresh.order_is("paid").await;
    plaza_tests::until("the log says for whom the refund waits", async || {
        shop.host.all_output().contains("until `sandbox`, which took the money, is the provider again").then_some(())
    })
    .await;
    acting.payment_is("processing").await;
    assert_eq!(stripe.charged(fresh.payment), (1, 3998));
    assert_eq!((stripe.requests(paid.payment), stripe.requests(acting.payment)), (vec![], vec![]));

    let shop = shop.killed_and_served_by(|setup| setup.manifest("spin.toml"));
    let (paid, acting, fresh) = (paid.reconnected(), acting.reconnected(), fresh.reconnected());
    let event = webhook::event("payment_intent.succeeded", &stripe.intents(fresh.payment)[0]);
    shop.anyone().request("POST", "/api/v1/payments/webhooks/stripe").body(event).await.problem(404);
    let acted = format!("UPDATE charges SET state = 'succeeded' WHERE payment_id = {}", acting.payment);
    Databases::of(&shop.host).execute("sandbox_database", &acted).await;
    acting.order_is("paid").await;
    paid.refunded("39.98").await;
    fresh.order_is("paid").await;
}

#[tokio::test]
async fn that_one_line_puts_either_in_place_while_the_shop_is_served() {
    let stripe = Stripe::start();
    let manifest = Manifest::of_the_shop_with(SANDBOX, SANDBOX);
    let shop = Shop::on(with_stripe(Setup::shop().manifest_in(manifest.clone()), &stripe).start());
    for (line, token, charged) in [(STRIPE, "pm_card_visa", (1, 3998)), (SANDBOX, "tok_ok", (0, 0))] {
        let other = Manifest::of_the_shop_with(SANDBOX, line);
        std::fs::copy(other.path(), manifest.path()).expect("a manifest can be written");
        shop.host.operate(&["apply", "--yes"]).await.expect();
        let buyer = Buyer::of(&shop).await;
        buyer.pay(token).await.expect(200);
        buyer.order_is("paid").await;
        assert_eq!(stripe.charged(buyer.payment), charged, "{line}");
    }
}

#[tokio::test]
async fn the_shop_as_it_is_needs_nothing_of_stripe() {
    let shop = Shop::start();
    let status = shop.host.status().await.to_string();
    assert!(status.contains("payment-sandbox") && !status.contains("payment-stripe"), "{status}");
    let databases = "SELECT count(*) FROM pg_database WHERE datname = 'stripe_database'";
    assert_eq!(Databases::of(&shop.host).number("postgres", databases).await, 0);
}
