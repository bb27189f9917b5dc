//! Two who want the same thing at the same moment, in both orders. They meet at a row that the test keeps: both are seen to
//! wait for it before either may go on, and PostgreSQL lets them pass in the order in which they came.

mod cancelling;
mod expiring;
mod late;
mod repeating;
mod reserving;
mod spending;
mod taking;

use plaza_tests::{
    databases::Databases,
    hold::Hold,
    shop::{Customer, id_of},
    until,
};

use crate::shop;

/// Who is first in line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Turn {
    AsNamed,
    Reversed,
}

pub const BOTH_TURNS: [Turn; 2] = [Turn::AsNamed, Turn::Reversed];

/// Lets both wait in line for what is held, in this order, then lets them pass; returns what came of each.
pub async fn meet<A, B>(
    mut hold: Hold,
    turn: Turn,
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let (go, gone) = tokio::sync::watch::channel(false);
    let in_turn = async |is_first: bool| {
        if !is_first {
            gone.clone().wait_for(|first_waits| *first_waits).await.expect("the first waits");
        }
    };
    let conductor = async {
        hold.until_waiting(1).await;
        go.send_replace(true);
        hold.until_waiting(2).await;
        hold.let_go().await;
    };
    let one = async {
        in_turn(turn == Turn::AsNamed).await;
        one.await
    };
    let other = async {
        in_turn(turn == Turn::Reversed).await;
        other.await
    };
    let (one, other, ()) = tokio::join!(one, other, conductor);
    (one, other)
}

async fn hold(database: &str, table: &str, id: i64) -> Hold {
    Hold::of(&Databases::of(&shop().host), database, table, id).await
}

/// A customer's order of two pieces at 10.00 out of five, and its payment.
struct Sale {
    customer: Customer,
    product: i64,
    order: i64,
    payment: i64,
}

impl Sale {
    async fn pending() -> Self {
        let product = shop().product("10.00", 5).await;
        let customer = shop().customer().await;
        let order = id_of(&customer.order(&[(product, 2)]).await);
        let payment = id_of(&customer.payment_of(order).await);
        Self { customer, product, order, payment }
    }

    async fn paid() -> Self {
        let sale = Self::pending().await;
        sale.customer.pay(sale.order).await;
        sale
    }

    async fn cancel(&self) -> plaza_tests::Answer {
        self.customer.client.request("POST", &format!("/api/v1/orders/{}/cancel", self.order)).await
    }

    /// The statuses that the order went through, oldest first.
    async fn history(&self) -> Vec<String> {
        let path = format!("/api/v1/orders/{}/history", self.order);
        let history = self.customer.client.get(&path).await.expect(200).json();
        let steps = history.as_array().expect("a list").iter();
        steps.map(|step| step["status"].as_str().expect("a status").to_owned()).collect()
    }

    /// Waits until nothing of the sale is left: every piece is back, and so is every cent that the provider took.
    /// Returns how often it took the money, and how often it gave some back.
    async fn undone(&self) -> (i64, i64) {
        until(&format!("order {} is undone", self.order), async || {
            let path = format!("/api/v1/payments/{}", self.payment);
            let payment = self.customer.client.get(&path).await.expect(200).json();
            let order = self.customer.read_order(self.order).await;
            let over = match payment["status"].as_str() {
                Some("cancelled") => true,
                Some("succeeded") => payment["refunded"] == payment["amount"],
                _ => false,
            };
            (over && order["status"] == "cancelled" && shop().stock(self.product).await == 5).then_some(())
        })
        .await;
        let (charges, charged_minor, refunds, refunded_minor) = self.moved().await;
        assert_eq!(charged_minor, refunded_minor);
        (charges, refunds)
    }

    /// What the provider did: charges, their sum, refunds, their sum.
    async fn moved(&self) -> (i64, i64, i64, i64) {
        let query = format!(
            "WITH charge AS (SELECT * FROM charges WHERE payment_id = {} AND state = 'succeeded'),
                  refund AS (SELECT r.* FROM refunds r JOIN charge ON charge.id = r.charge_id)
             SELECT (SELECT count(*) FROM charge), (SELECT coalesce(sum(amount_minor), 0)::bigint FROM charge),
                    (SELECT count(*) FROM refund), (SELECT coalesce(sum(amount_minor), 0)::bigint FROM refund)",
            self.payment
        );
        Databases::of(&shop().host).rows("sandbox_database", &query).await.remove(0)
    }
}
