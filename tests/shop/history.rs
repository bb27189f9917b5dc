//! The steps of an order, which are there for good.

use plaza_tests::{databases::Databases, shop::id_of};
use sqlx::AssertSqlSafe;

use crate::shop;

#[tokio::test]
async fn nobody_rewrites_what_has_happened_to_an_order() {
    let product = shop().product("10.00", 1).await;
    let customer = shop().customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    let mut connection = Databases::of(&shop().host).connect("orders_database").await;
    for change in ["UPDATE order_history SET status = 'paid'", "DELETE FROM order_history"] {
        let statement = AssertSqlSafe(format!("{change} WHERE order_id = {order}"));
        let refused = sqlx::query(statement).execute(&mut connection).await.expect_err("it is refused");
        assert!(refused.to_string().contains("order_history is append-only"), "{refused}");
    }
    let path = format!("/api/v1/orders/{order}/history");
    let history = customer.client.get(&path).await.expect(200).json();
    assert_eq!((history.as_array().unwrap().len(), &history[0]["status"]), (1, &"pending".into()));
}
