//! The shop's one currency, where it is not the usual one.

use plaza_tests::{databases::Databases, shop::id_of};
use serde_json::json;

use crate::other_shop;

/// What [`other_shop`] sells in.
const CURRENCY: &str = "USD";

#[tokio::test]
async fn products_orders_payments_and_charges_are_in_the_shops_currency() {
    let shop = other_shop();
    let admin = shop.admin().await;
    let teapot = json!({"name": "Teapot", "category": "kitchen", "price": 19.99, "stock": 5});
    let product = admin.post("/api/v1/products", &teapot).await.expect(201).json();
    assert_eq!(product["currency"], CURRENCY);
    let customer = shop.customer().await;
    let order = customer.order(&[(id_of(&product), 2)]).await;
    assert_eq!(order["currency"], CURRENCY);
    let payment = customer.payment_of(id_of(&order)).await;
    assert_eq!(payment["currency"], CURRENCY);
    customer.confirm(id_of(&payment), "tok_ok").await.expect(200);
    customer.order_becomes(id_of(&order), "paid").await;
    let charged = format!("SELECT currency, amount_minor FROM charges WHERE payment_id = {}", id_of(&payment));
    let charged = Databases::of(&shop.host).rows::<(String, i64)>("sandbox_database", &charged).await;
    assert_eq!(charged, [(CURRENCY.to_owned(), 3998)]);
    let told = format!("SELECT data ->> 'currency' FROM outbox WHERE key = 'order-{}'", id_of(&order));
    for database in ["orders_database", "payments_database"] {
        let told = Databases::of(&shop.host).rows::<(String,)>(database, &told).await;
        assert!(!told.is_empty() && told.iter().all(|(currency,)| currency == CURRENCY), "{told:?}");
    }
}

#[tokio::test]
async fn a_price_in_another_currency_is_422_even_in_the_usual_one() {
    for currency in ["EUR", "usd", "US", "XXX", ""] {
        let body = json!({"name": "Teapot", "category": "kitchen", "price": 19.99, "currency": currency});
        let answer = other_shop().admin().await.post("/api/v1/products", &body).await;
        assert_eq!(answer.invalid_fields(), ["currency"], "{currency}");
    }
}

#[tokio::test]
async fn a_product_priced_before_the_currency_changed_cannot_be_ordered_and_keeps_its_pieces() {
    let shop = other_shop();
    let product = shop.product("5.00", 3).await;
    let foreign = format!("UPDATE products SET currency = 'EUR' WHERE id = {product}");
    Databases::of(&shop.host).execute("products_database", &foreign).await;
    let refused = shop.customer().await.try_order(&[(product, 1)]).await.problem(422);
    assert_eq!(refused["type"], "/problems/foreign-currency");
    plaza_tests::until("its pieces are free again", async || (shop.stock(product).await == 3).then_some(())).await;
}
