//! What the operator has to set.

use plaza_tests::{
    Setup, Shop,
    stripe::{SECRET_KEY, Stripe},
};

use crate::{Buyer, MANIFEST, with_stripe};

#[test]
fn without_its_secrets_the_shop_does_not_start_and_says_what_is_missing() {
    let ended = Setup::of(MANIFEST.path()).refused();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for variable in ["stripe_secret_key", "stripe_webhook_secret"] {
        let told = format!("SPIN_VARIABLE_{}", variable.to_uppercase());
        assert!(ended.stderr.contains(variable) && ended.stderr.contains(&told), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn with_a_wrong_key_nothing_is_charged_and_with_the_right_one_it_goes_on() {
    let stripe = Stripe::start();
    let wrong = with_stripe(Setup::of(MANIFEST.path()), &stripe)
        .environment("SPIN_VARIABLE_STRIPE_SECRET_KEY", "sk_test_of_another_account");
    let shop = Shop::on(wrong.start());
    let buyer = Buyer::of(&shop).await;
    assert_eq!(buyer.pay("pm_card_visa").await.expect(202).json()["status"], "processing");
    shop.host.stderr().line_with("does not accept the key in stripe_secret_key");
    assert!(!shop.host.all_output().contains("sk_test_of_another_account"), "a key was logged");
    let shop = shop.killed_and_served_by(|setup| with_stripe(setup, &stripe));
    let buyer = buyer.reconnected();
    buyer.order_is("paid").await;
    assert_eq!(stripe.charged(buyer.payment), (1, 3998));
    assert!(!shop.host.all_output().contains(SECRET_KEY), "a key was logged");
}
