//! What must always hold in the shop, asked of its databases.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::databases::Databases;

const ORDERS: &str = "orders_database";
const PAYMENTS: &str = "payments_database";
const PRODUCTS: &str = "products_database";
const SANDBOX: &str = "sandbox_database";

/// Statuses of an order that has been paid for.
const SOLD: [&str; 3] = ["paid", "shipped", "delivered"];

/// What the services' databases say at one moment.
pub struct Books {
    databases: Databases,
    orders: Vec<Order>,
    payments: Vec<Payment>,
}

/// A row of the orders.
struct Order {
    id: i64,
    status: String,
    total_minor: i64,
    currency: String,
    reservation: String,
}

/// A row of the payments with what the provider says of it.
struct Payment {
    order_id: i64,
    amount_minor: i64,
    currency: String,
    status: String,
    refunded_minor: i64,
}

/// How long after a crash something may still be under way: an attempt whose request died keeps its lease for as long as
/// a request may take, and the next tick settles it.
const SETTLING: Duration = Duration::from_secs(120);

impl Books {
    /// Waits until every event has had its effect and no payment or refund is under way, then reads the books.
    pub async fn settled(databases: Databases) -> Self {
        let deadline = Instant::now() + SETTLING;
        loop {
            let left = unsettled(&databases).await;
            if left.is_empty() {
                break;
            }
            assert!(Instant::now() < deadline, "after {SETTLING:?} there is still: {left:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let orders = "SELECT id, status, total_minor, currency, reservation_id::text AS reservation FROM orders";
        let payments = "SELECT order_id, amount_minor, currency, status, refunded_minor FROM payments";
        let orders = databases.rows::<(i64, String, i64, String, String)>(ORDERS, orders).await;
        let payments = databases.rows::<(i64, i64, String, String, i64)>(PAYMENTS, payments).await;
        let orders = orders
            .into_iter()
            .map(|(id, status, total_minor, currency, reservation)| Order {
                id,
                status,
                total_minor,
                currency,
                reservation,
            })
            .collect();
        let payments = payments
            .into_iter()
            .map(|(order_id, amount_minor, currency, status, refunded_minor)| Payment {
                order_id,
                amount_minor,
                currency,
                status,
                refunded_minor,
            })
            .collect();
        Self { databases, orders, payments }
    }

    /// Checks every invariant, prints a line for each, and fails the test when one is broken.
    pub async fn check(&self) {
        let results = [
            ("1. 0 ≤ reserved ≤ on hand, both as the ledger says", self.stock_is_sound().await),
            ("2. what is sold was charged exactly once", self.sold_orders_are_charged()),
            ("3. money taken − given back = orders sold", self.the_money_adds_up().await),
            ("4. a cancelled order holds no stock and no money", self.cancelled_orders_hold_nothing().await),
            ("5. every event was published and taken in", unsettled(&self.databases).await),
            ("6. versions are gapless, histories legal", self.histories_are_legal().await),
            ("7. one key, one order", self.keys_are_unique().await),
            ("8. total = Σ quantity × price", self.totals_add_up().await),
            ("9. nothing stays pending past its deadline", self.nothing_is_overdue().await),
        ];
        for (rule, broken) in &results {
            println!("{rule}: {}", if broken.is_empty() { "holds" } else { "BROKEN" });
        }
        let broken: Vec<_> = results.iter().filter(|(_, broken)| !broken.is_empty()).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// How many orders have this status.
    pub fn count(&self, status: &str) -> usize {
        self.orders.iter().filter(|order| order.status == status).count()
    }

    async fn stock_is_sound(&self) -> Vec<String> {
        let query = "SELECT 'product ' || id FROM products p
            WHERE NOT (0 <= reserved AND reserved <= on_hand)
               OR on_hand <> (SELECT coalesce(sum(delta), 0) FROM movements m WHERE m.product_id = p.id)
               OR reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservation_lines l
                   JOIN reservations r ON r.id = l.reservation_id WHERE l.product_id = p.id AND status = 'held')";
        self.texts(PRODUCTS, query).await
    }

    fn sold_orders_are_charged(&self) -> Vec<String> {
        let wrong = |order: &&Order| {
            let matching = self.payments.iter().filter(|payment| {
                payment.order_id == order.id
                    && payment.status == "succeeded"
                    && payment.amount_minor == order.total_minor
                    && payment.currency == order.currency
            });
            SOLD.contains(&order.status.as_str()) && matching.count() != 1
        };
        self.orders.iter().filter(wrong).map(|order| format!("order {}", order.id)).collect()
    }

    async fn the_money_adds_up(&self) -> Vec<String> {
        let sum = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM";
        let database = SANDBOX;
        let charged = self.databases.number(database, &format!("{sum} charges WHERE state = 'succeeded'")).await;
        let refunded = self.databases.number(database, &format!("{sum} refunds")).await;
        let sold: i64 = self.sold().map(|order| order.total_minor).sum();
        let sold_ids: BTreeSet<i64> = self.sold().map(|order| order.id).collect();
        let partly: i64 =
            self.payments.iter().filter(|p| sold_ids.contains(&p.order_id)).map(|p| p.refunded_minor).sum();
        let text = format!("{charged} charged, {refunded} refunded, {sold} sold, {partly} of it given back");
        if charged - refunded == sold - partly { Vec::new() } else { vec![text] }
    }

    async fn cancelled_orders_hold_nothing(&self) -> Vec<String> {
        let held = "SELECT id::text FROM reservations WHERE status IN ('held', 'committed')";
        let held: BTreeSet<String> = self.texts(PRODUCTS, held).await.into_iter().collect();
        let charged: BTreeMap<i64, i64> = self
            .payments
            .iter()
            .filter(|payment| payment.status == "succeeded")
            .map(|payment| (payment.order_id, payment.amount_minor - payment.refunded_minor))
            .collect();
        let cancelled = self.orders.iter().filter(|order| order.status == "cancelled");
        cancelled
            .filter(|order| held.contains(&order.reservation) || charged.get(&order.id).is_some_and(|net| *net != 0))
            .map(|order| format!("order {}", order.id))
            .collect()
    }

    async fn histories_are_legal(&self) -> Vec<String> {
        let query = "WITH step AS (
                SELECT order_id, version, status,
                       row_number() OVER path AS place, lag(status) OVER path AS before
                FROM order_history WINDOW path AS (PARTITION BY order_id ORDER BY version))
            SELECT 'order ' || order_id || ' version ' || version FROM step
            WHERE version <> place OR (coalesce(before, ''), status) NOT IN (
                ('', 'pending'), ('pending', 'paid'), ('pending', 'cancelled'), ('paid', 'shipped'),
                ('paid', 'cancelled'), ('shipped', 'delivered'))
            UNION ALL
            SELECT 'order ' || id || ' differs from its history' FROM orders o
            WHERE NOT EXISTS (SELECT FROM order_history h WHERE (order_id, h.version, h.status) = (o.id, o.version, o.status))
               OR EXISTS (SELECT FROM order_history h WHERE order_id = o.id AND h.version > o.version)";
        self.texts(ORDERS, query).await
    }

    async fn keys_are_unique(&self) -> Vec<String> {
        let query = "SELECT 'order ' || o.id || ' has ' || count(k.*) || ' keys'
            FROM orders o LEFT JOIN idempotency_keys k ON k.ids ->> 'number' = o.id::text GROUP BY o.id HAVING count(k.*) <> 1";
        self.texts(ORDERS, query).await
    }

    async fn totals_add_up(&self) -> Vec<String> {
        let query = "SELECT 'order ' || id FROM orders o WHERE total_minor IS DISTINCT FROM
            (SELECT sum(quantity * price_minor) FROM order_lines l WHERE l.order_id = o.id)";
        self.texts(ORDERS, query).await
    }

    async fn nothing_is_overdue(&self) -> Vec<String> {
        // A tick's period is the tolerance: what lapsed within it is still being seen to.
        let query = "SELECT 'order ' || id FROM orders
            WHERE status = 'pending' AND expires_at < now() - interval '1 minute'";
        self.texts(ORDERS, query).await
    }

    fn sold(&self) -> impl Iterator<Item = &Order> {
        self.orders.iter().filter(|order| SOLD.contains(&order.status.as_str()))
    }

    async fn texts(&self, database: &str, query: &str) -> Vec<String> {
        self.databases.rows::<(String,)>(database, query).await.into_iter().map(|row| row.0).collect()
    }
}

/// What is still on its way: events not published or not yet taken in, attempts and refunds without an outcome.
async fn unsettled(databases: &Databases) -> Vec<String> {
    let mut left = Vec::new();
    for (database, query) in [
        (ORDERS, "SELECT 'event of orders ' || seq FROM outbox WHERE published_at IS NULL"),
        (PRODUCTS, "SELECT 'event of products ' || seq FROM outbox WHERE published_at IS NULL"),
        (PAYMENTS, "SELECT 'event of payments ' || seq FROM outbox WHERE published_at IS NULL"),
        (PAYMENTS, "SELECT 'attempt ' || key FROM attempts WHERE state = 'open'"),
        (PAYMENTS, "SELECT 'refund ' || key FROM refunds WHERE state = 'pending'"),
    ] {
        left.extend(databases.rows::<(String,)>(database, query).await.into_iter().map(|row| row.0));
    }
    for (publisher, subscriber, types) in [
        (ORDERS, PAYMENTS, "'ORDER_CREATED', 'ORDER_CANCELLED'"),
        (ORDERS, PRODUCTS, "'ORDER_CANCELLED'"),
        (PAYMENTS, ORDERS, "'PAYMENT_SUCCEEDED', 'PAYMENT_FAILED'"),
    ] {
        let inbox = "SELECT event_id::text FROM inbox";
        let taken = databases.rows::<(String,)>(subscriber, inbox).await;
        let taken: BTreeSet<String> = taken.into_iter().map(|row| row.0).collect();
        // An event of another type has no effect on this subscriber, so it leaves nothing in its inbox.
        let events = format!("SELECT id::text FROM outbox WHERE type IN ({types})");
        let published = databases.rows::<(String,)>(publisher, &events).await;
        let missing = published.into_iter().filter(|(id,)| !taken.contains(id));
        left.extend(missing.map(|(id,)| format!("event {id} of {publisher} for {subscriber}")));
    }
    left
}
