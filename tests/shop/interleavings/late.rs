//! A provider's late answer, against cancelling. The token `tok_timeout` charges at once and says so when nobody listens any
//! more; the clock finds it out.

use plaza_tests::{databases::Databases, sandbox, until};

use super::{BOTH_TURNS, Sale, hold, meet};
use crate::shop;

#[tokio::test]
async fn a_late_answer_and_cancelling_that_meet_at_the_payment() {
    for turn in BOTH_TURNS {
        let sale = Sale::pending().await;
        let (late, held) = tokio::join!(sale.customer.confirm(sale.payment, "tok_timeout"), async {
            sale.customer.payment_becomes(sale.payment, "processing").await;
            hold("payments_database", "payments", sale.payment).await
        });
        late.expect(202);
        // What the one does is the clock's: asked what became of the charge, it wants to write that down.
        let (_, cancelled) = meet(held, turn, async {}, sale.cancel()).await;
        cancelled.expect(200);
        assert_eq!(sale.undone().await, (1, 1));
        assert_eq!(sale.history().await.last().map(String::as_str), Some("cancelled"));
    }
}

#[tokio::test]
async fn an_attempt_given_up_with_its_order_moves_no_money_whatever_its_customer_does_later() {
    let sale = Sale::pending().await;
    sale.customer.confirm(sale.payment, "tok_3ds").await.expect(202);
    sale.cancel().await.expect(200);
    // Asked by the clock, the provider still waits for the customer: with the order gone, nobody does any more.
    sale.customer.payment_becomes(sale.payment, "cancelled").await;
    let message = sandbox::notice(&format!("payment-{}-1", sale.payment), "succeeded");
    sandbox::tell(&shop().anyone(), &message).await.expect(204);
    // It was withdrawn at the provider before it was given up.
    assert_eq!(sale.moved().await, (0, 0, 0, 0));
    assert_eq!(sale.undone().await, (0, 0));
}

#[tokio::test]
async fn a_customer_who_takes_long_to_act_is_asked_about_seldom_and_at_once_when_the_order_is_cancelled() {
    let sale = Sale::pending().await;
    sale.customer.confirm(sale.payment, "tok_3ds").await.expect(202);
    let databases = Databases::of(&shop().host);
    let attempt = format!("payment_id = {}", sale.payment);
    let long_ago = "created_at = now() - interval '4 minutes', look_at = now()";
    databases.execute("payments_database", &format!("UPDATE attempts SET {long_ago} WHERE {attempt}")).await;
    let pause = format!("SELECT count(*) FROM attempts WHERE {attempt} AND look_at > now() + interval '3 minutes'");
    until("the next question is minutes away", async || {
        (databases.number("payments_database", &pause).await == 1).then_some(())
    })
    .await;
    sale.cancel().await.expect(200);
    assert_eq!(sale.undone().await, (0, 0));
}
