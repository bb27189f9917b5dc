//! Cancelling, against everything else that may happen to an order.

use plaza_tests::databases::Databases;
use serde_json::json;

use super::{BOTH_TURNS, Sale, Turn, hold, meet};
use crate::shop;

#[tokio::test]
async fn paying_and_cancelling_that_meet_at_the_payment() {
    for turn in BOTH_TURNS {
        let sale = Sale::pending().await;
        let held = hold("payments_database", "payments", sale.payment).await;
        let (paid, cancelled) = meet(held, turn, sale.customer.confirm(sale.payment, "tok_ok"), sale.cancel()).await;
        cancelled.expect(200);
        assert_eq!(sale.undone().await, if turn == Turn::AsNamed { (1, 1) } else { (0, 0) });
        match turn {
            Turn::AsNamed => drop(paid.expect(200)),
            Turn::Reversed => drop(paid.problem(409)),
        }
        assert_eq!(sale.history().await, ["pending", "cancelled"]);
    }
}

#[tokio::test]
async fn the_news_of_a_payment_and_cancelling_that_meet_at_the_order() {
    for (turn, history) in
        [(Turn::AsNamed, vec!["pending", "paid", "cancelled"]), (Turn::Reversed, vec!["pending", "cancelled"])]
    {
        let sale = Sale::pending().await;
        let held = hold("orders_database", "orders", sale.order).await;
        let (paid, cancelled) = meet(held, turn, sale.customer.confirm(sale.payment, "tok_ok"), sale.cancel()).await;
        paid.expect(200);
        assert_eq!(cancelled.expect(200).json()["reason"], "user");
        assert_eq!(sale.undone().await, (1, 1));
        assert_eq!(sale.history().await, history);
    }
}

#[tokio::test]
async fn shipping_and_cancelling_end_in_the_one_that_came_first() {
    for turn in BOTH_TURNS {
        let sale = Sale::paid().await;
        let (admin, path) = (shop().admin().await, format!("/api/v1/orders/{}/ship", sale.order));
        let ship = async { admin.post(&path, &json!({"carrier": "Mule", "tracking": "M-17"})).await };
        let held = hold("orders_database", "orders", sale.order).await;
        let (shipped, cancelled) = meet(held, turn, ship, sale.cancel()).await;
        match turn {
            Turn::AsNamed => {
                shipped.expect(200);
                cancelled.problem(409);
                assert_eq!(sale.history().await, ["pending", "paid", "shipped"]);
                assert_eq!((sale.moved().await, shop().stock(sale.product).await), ((1, 2000, 0, 0), 3));
            }
            Turn::Reversed => {
                cancelled.expect(200);
                shipped.problem(409);
                assert_eq!(sale.undone().await, (1, 1));
                assert_eq!(sale.history().await, ["pending", "paid", "cancelled"]);
            }
        }
    }
}

#[tokio::test]
async fn of_two_cancellations_one_has_an_effect() {
    for turn in BOTH_TURNS {
        for sale in [Sale::pending().await, Sale::paid().await] {
            let (admin, path) = (shop().admin().await, format!("/api/v1/orders/{}/cancel", sale.order));
            let before = sale.history().await;
            let held = hold("orders_database", "orders", sale.order).await;
            let (users, admins) = meet(held, turn, sale.cancel(), async { admin.request("POST", &path).await }).await;
            let (first, second, reason) = match turn {
                Turn::AsNamed => (users, admins, "user"),
                Turn::Reversed => (admins, users, "admin"),
            };
            assert_eq!(first.expect(200).json()["reason"], reason);
            second.problem(409);
            let times_paid = i64::from(before.len() == 2);
            assert_eq!(sale.undone().await, (times_paid, times_paid));
            assert_eq!(sale.history().await.len(), before.len() + 1);
            let told =
                format!("SELECT count(*) FROM outbox WHERE key = 'order-{}' AND type = 'ORDER_CANCELLED'", sale.order);
            assert_eq!(Databases::of(&shop().host).number("orders_database", &told).await, 1);
        }
    }
}
