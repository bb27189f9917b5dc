//! Money that goes back, against money that goes back.

use plaza_tests::{Answer, shop::fresh_key, until};
use serde_json::json;

use super::{BOTH_TURNS, Sale, Turn, hold, meet};
use crate::shop;

async fn refund(sale: &Sale, amount: f64) -> Answer {
    let path = format!("/api/v1/payments/{}/refunds", sale.payment);
    shop().admin().await.post(&path, &json!({"amount": amount, "reason": "a scratch"})).key(&fresh_key()).await
}

#[tokio::test]
async fn of_two_refunds_that_exceed_the_charge_together_the_first_is_made() {
    for turn in BOTH_TURNS {
        let sale = Sale::paid().await;
        let held = hold("payments_database", "payments", sale.payment).await;
        let (fifteen, twelve) = meet(held, turn, refund(&sale, 15.00), refund(&sale, 12.00)).await;
        let (first, second, minor) = match turn {
            Turn::AsNamed => (fifteen, twelve, 1500),
            Turn::Reversed => (twelve, fifteen, 1200),
        };
        first.expect(201);
        second.problem(409);
        until("the money is back", async || (sale.moved().await == (1, 2000, 1, minor)).then_some(())).await;
    }
}

#[tokio::test]
async fn two_refunds_that_fit_are_both_made() {
    let sale = Sale::paid().await;
    let held = hold("payments_database", "payments", sale.payment).await;
    let (one, other) = meet(held, Turn::AsNamed, refund(&sale, 12.00), refund(&sale, 8.00)).await;
    one.expect(201);
    other.expect(201);
    until("the money is back", async || (sale.moved().await == (1, 2000, 2, 2000)).then_some(())).await;
}

#[tokio::test]
async fn a_refund_and_cancelling_give_back_what_was_paid_and_no_more() {
    for turn in BOTH_TURNS {
        let sale = Sale::paid().await;
        let held = hold("payments_database", "payments", sale.payment).await;
        let (part, cancelled) = meet(held, turn, refund(&sale, 5.00), sale.cancel()).await;
        cancelled.expect(200);
        match turn {
            Turn::AsNamed => {
                part.expect(201);
                assert_eq!(sale.undone().await, (1, 2));
            }
            Turn::Reversed => {
                part.problem(409);
                assert_eq!(sale.undone().await, (1, 1));
            }
        }
    }
}
