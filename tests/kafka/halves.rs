//! Two hosts with a part of the shop each, and one Kafka for both.

use plaza_tests::{halves::Halves, shop::id_of, until};

use crate::killable;

#[tokio::test]
async fn what_one_half_tells_has_its_effect_in_the_other() {
    let Some(broker) = killable("what_one_half_tells_has_its_effect_in_the_other") else { return };
    let halves = Halves::start(|setup| setup.argument("--kafka").argument(&broker.address()));
    let (product, ada) = (halves.first.product("5.00", 3).await, halves.customer().await);
    let order = id_of(&ada.order(&[(product, 2)]).await);
    ada.pay(order).await;
    assert_eq!(halves.first.stock(product).await, 1);
    ada.client.request("POST", &format!("/api/v1/orders/{order}/cancel")).await.expect(200);
    until("the stock is back", async || (halves.first.stock(product).await == 3).then_some(())).await;
}
