//! What customers are told of their orders: once for each thing that happens, and nobody else's.

use plaza_tests::{
    Client,
    databases::Databases,
    shop::{Customer, id_of},
    until,
};
use serde_json::{Value, json};

use crate::shop;

const DATABASE: &str = "notifications_database";

/// What somebody is told of an order, the newest first, once it is so much.
async fn told(client: &Client, order: i64, count: usize) -> Vec<Value> {
    until(&format!("{count} notifications tell of order {order}"), async || {
        let list = client.get(&format!("/api/v1/notifications?orderId={order}&limit=100")).await.expect(200).json();
        let list = list.as_array().expect("a list").clone();
        (list.len() == count).then_some(list)
    })
    .await
}

fn kinds(list: &[Value]) -> Vec<&str> {
    list.iter().map(|one| one["type"].as_str().expect("a type")).collect()
}

async fn ordered(customer: &Customer) -> i64 {
    let product = shop().product("19.99", 10).await;
    id_of(&customer.order(&[(product, 2)]).await)
}

#[tokio::test]
async fn a_customer_is_told_of_each_step_of_an_order_once() {
    let (admin, customer) = (shop().admin().await, shop().customer().await);
    let order = ordered(&customer).await;
    customer.pay(order).await;
    let shipment = json!({"carrier": "Mule", "tracking": "1"});
    admin.post(&format!("/api/v1/orders/{order}/ship"), &shipment).await.expect(200);
    admin.request("POST", &format!("/api/v1/orders/{order}/deliver")).await.expect(200);
    let list = told(&customer.client, order, 4).await;
    assert_eq!(kinds(&list), ["order_delivered", "order_shipped", "order_paid", "order_placed"]);
    let placed = &list[3];
    assert_eq!((&placed["userId"], &placed["orderId"]), (&json!(customer.id), &json!(order)));
    assert_eq!(placed["subject"], format!("We have your order {order}"));
    assert!(placed["body"].as_str().is_some_and(|body| body.contains("39.98 EUR")), "{placed}");
    assert!(placed["createdAt"].as_str().is_some_and(|time| time.ends_with('Z')), "{placed}");

    let cancelled = ordered(&customer).await;
    customer.client.request("POST", &format!("/api/v1/orders/{cancelled}/cancel")).await.expect(200);
    let list = told(&customer.client, cancelled, 2).await;
    assert_eq!(kinds(&list), ["order_cancelled", "order_placed"]);
    assert!(list[0]["body"].as_str().is_some_and(|body| body.contains("as you wished")), "{}", list[0]);
}

#[tokio::test]
async fn an_event_that_comes_again_tells_nothing_again() {
    let customer = shop().customer().await;
    let order = ordered(&customer).await;
    told(&customer.client, order, 1).await;
    let databases = Databases::of(&shop().host);
    let again = format!("UPDATE outbox SET published_at = NULL WHERE key = 'order-{order}'");
    databases.execute("orders_database", &again).await;
    let unpublished = format!("SELECT count(*) FROM outbox WHERE key = 'order-{order}' AND published_at IS NULL");
    until("it has been delivered again", async || {
        (databases.number("orders_database", &unpublished).await == 0).then_some(())
    })
    .await;
    told(&customer.client, order, 1).await;
}

#[tokio::test]
async fn nobody_but_its_customer_and_an_administrator_sees_a_notification() {
    let (customer, another) = (shop().customer().await, shop().customer().await);
    let order = ordered(&customer).await;
    told(&customer.client, order, 1).await;
    told(&another.client, order, 0).await;
    told(&shop().admin().await, order, 1).await;
    shop().anyone().get("/api/v1/notifications").await.problem(401);
    let own = customer.client.get("/api/v1/notifications").await.expect(200).json();
    let own = own.as_array().expect("a list");
    assert!(own.iter().all(|one| one["userId"] == customer.id), "{own:?}");
}

#[tokio::test]
async fn notifications_come_in_pages_and_what_cannot_be_meant_is_refused() {
    let customer = shop().customer().await;
    let orders = [ordered(&customer).await, ordered(&customer).await, ordered(&customer).await];
    for order in orders {
        told(&customer.client, order, 1).await;
    }
    let (mut page, mut seen) = ("/api/v1/notifications?limit=2".to_owned(), Vec::new());
    loop {
        let answer = customer.client.get(&page).await.expect(200);
        let (link, list) = (answer.header("link").to_owned(), answer.json());
        seen.extend(list.as_array().expect("a list").iter().map(|one| one["orderId"].as_i64().expect("a number")));
        let Some((next, _)) = link.trim_start_matches('<').split_once('>') else { break };
        next.clone_into(&mut page);
    }
    seen.sort_unstable();
    assert_eq!(seen, orders);
    let refused = customer.client.get("/api/v1/notifications?orderId=0&limit=101").await;
    assert_eq!(refused.invalid_fields(), ["limit", "orderId"]);
}

#[tokio::test]
async fn no_notification_holds_what_it_does_not_need_of_its_customer() {
    let customer = shop().customer().await;
    let order = ordered(&customer).await;
    told(&customer.client, order, 1).await;
    let databases = Databases::of(&shop().host);
    let query = format!("SELECT notification::text FROM notifications AS notification WHERE user_id = {}", customer.id);
    for (row,) in databases.rows::<(String,)>(DATABASE, &query).await {
        assert!(!row.contains(&customer.email) && !row.contains("Lovelace"), "{row}");
    }
}
