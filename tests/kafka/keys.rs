//! One key's trouble is no other's.

use plaza_tests::{databases::Databases, kafka, shop::id_of, until};

use crate::{metric, shared};

const PAYMENTS: &str = "payments_database";
const ORDERS: &str = "orders_database";

#[tokio::test]
async fn a_key_that_is_retried_holds_up_no_other_and_keeps_its_own_order() {
    let shop = &shared().shop;
    let databases = Databases::of(&shop.host);
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON payments FOR EACH ROW WHEN (NEW.amount_minor = 13337) EXECUTE FUNCTION refuse()";
    databases.execute(PAYMENTS, refuse).await;
    let (unlucky, lucky) = (shop.product("133.37", 10).await, shop.product("1.00", 100).await);
    let customer = shop.customer().await;
    let held = id_of(&customer.order(&[(unlucky, 1)]).await);
    let path = format!("/api/v1/orders/{held}/cancel");
    customer.client.request("POST", &path).await.expect(200);
    let placed = format!("SELECT id::text FROM outbox WHERE key = 'order-{held}' ORDER BY seq LIMIT 1");
    let placed: Vec<(String,)> = databases.rows(ORDERS, &placed).await;
    let placed = &placed.first().expect("its event was written").0;
    until("its event was not taken", async || {
        let log = shop.host.stderr().text();
        let of_it = |line: &str| line.contains(placed) && line.contains("will be delivered again");
        log.lines().any(of_it).then_some(())
    })
    .await;

    // Enough to be in its partition, too.
    for _ in 0..30 {
        let order = id_of(&customer.order(&[(lucky, 1)]).await);
        customer.payment_of(order).await;
    }
    let payments = format!("SELECT count(*) FROM payments WHERE order_id = {held}");
    assert_eq!(databases.number(PAYMENTS, &payments).await, 0, "it is still refused");
    assert!(metric(&shop.host, "plaza_events_retries_total", "component=\"payments\"").await >= 2.0);
    until("the operator sees that it is behind", async || {
        (metric(&shop.host, "plaza_events_lag", "component=\"payments\"").await >= 1.0).then_some(())
    })
    .await;

    let (brokers, key) = (&shared().brokers, format!("order-{held}"));
    let all = kafka::all_of(brokers, "order-events").await;
    let parked = all.into_iter().find(|record| record.key == key).expect("its event stands on the topic");
    let position = async || kafka::position(brokers, "payments", "order-events", parked.partition).await;
    assert!(position().await.is_none_or(|position| position <= parked.offset), "nothing passes what was not done");

    databases.execute(PAYMENTS, "DROP TRIGGER refuse ON payments; DROP FUNCTION refuse()").await;
    let payment = customer.payment_of(held).await;
    // That it was cancelled came behind that it was placed.
    customer.payment_becomes(id_of(&payment), "cancelled").await;
    until("the position passes it", async || {
        position().await.is_some_and(|position| position > parked.offset).then_some(())
    })
    .await;
}
