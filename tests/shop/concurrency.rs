//! Many at once, as it comes; `interleavings` forces who comes first.

use futures::future::join_all;
use plaza_tests::shop::{PASSWORD, fresh_email};
use serde_json::json;

use crate::shop;

#[tokio::test]
async fn two_hundred_orders_for_the_last_ten_pieces_sell_ten() {
    let product = shop().product("9.99", 10).await;
    let customer = shop().customer().await;
    let lines = [(product, 1)];
    let answers = join_all((0..200).map(|_| customer.try_order(&lines))).await;
    let sold = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.problem(409);
    }
    assert_eq!(sold, 10);
    assert_eq!(shop().stock(product).await, 0);
}

#[tokio::test]
async fn of_many_registrations_of_one_address_one_succeeds() {
    let body = json!({"name": "Ada Lovelace", "email": fresh_email(), "password": PASSWORD});
    let anyone = shop().anyone();
    let answers = join_all((0..20).map(|_| async { anyone.post("/api/v1/users", &body).await.status })).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| [201, 409].contains(status)), "{answers:?}");
}
