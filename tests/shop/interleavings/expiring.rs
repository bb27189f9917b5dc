//! The clock that ends an unpaid order, against its payment.

use plaza_tests::{databases::Databases, hold::Hold, shop::id_of, until};
use serde_json::json;

use super::{BOTH_TURNS, Turn, meet};
use crate::other_shop;

#[tokio::test]
async fn expiry_and_payment_that_meet_at_the_order() {
    // The one whose orders wait for so short a time.
    let shop = other_shop();
    let product = shop.product("10.00", 5).await;
    let customer = shop.customer().await;
    for turn in BOTH_TURNS {
        let order = id_of(&customer.order(&[(product, 1)]).await);
        let payment = id_of(&customer.payment_of(order).await);
        // The clock's time comes when its customer has had time to confirm; whoever comes first is in line first.
        let databases = Databases::of(&shop.host);
        let soon = format!("UPDATE orders SET expires_at = now() + interval '3 seconds' WHERE id = {order}");
        databases.execute("orders_database", &soon).await;
        let held = Hold::of(&databases, "orders_database", "orders", order).await;
        let (paid, ()) = meet(held, turn, customer.confirm(payment, "tok_ok"), async {}).await;
        paid.expect(200);
        let history = async || {
            let steps = customer.client.get(&format!("/api/v1/orders/{order}/history")).await.expect(200).json();
            let steps = steps.as_array().expect("a list").iter();
            steps.map(|step| json!([step["status"], step["reason"], step["actor"]])).collect::<Vec<_>>()
        };
        let begun = json!(["pending", null, format!("user:{}", customer.id)]);
        match turn {
            Turn::AsNamed => {
                customer.order_becomes(order, "paid").await;
                assert_eq!(history().await, [begun, json!(["paid", null, "payments"])]);
            }
            Turn::Reversed => {
                assert_eq!(customer.order_becomes(order, "cancelled").await["reason"], "expired");
                assert_eq!(history().await, [begun, json!(["cancelled", "expired", "clock"])]);
                let refunded = until("the money is back", async || {
                    let payment = customer.client.get(&format!("/api/v1/payments/{payment}")).await.expect(200).json();
                    (payment["refunded"] == payment["amount"]).then_some(payment)
                });
                assert_eq!(refunded.await["status"], "succeeded");
            }
        }
    }
    // The first was paid, so its piece has gone; that of the second is back.
    until("the piece is back", async || (shop.stock(product).await == 4).then_some(())).await;
}
