//! What becomes of a reservation: sold, given back, or its time is over, with another of them in line.

use plaza_tests::{
    databases::Databases,
    shop::{fresh_key, id_of, order_body},
};

use super::{BOTH_TURNS, Sale, Turn, hold, meet};
use crate::shop;

async fn in_products(statement: &str) {
    Databases::of(&shop().host).execute("products_database", statement).await;
}

/// The time of every reservation of this product is over.
async fn end_the_time_of(product: i64) {
    let over = format!(
        "UPDATE reservations SET expires_at = now() - interval '1 second'
         WHERE id IN (SELECT reservation_id FROM reservation_lines WHERE product_id = {product})"
    );
    in_products(&over).await;
}

/// Pieces in the house, pieces that are held, and the only reservation's status.
async fn stock(product: i64) -> (i64, i64, String) {
    let query = format!(
        "SELECT p.on_hand, p.reserved, r.status FROM products p
         JOIN reservation_lines l ON l.product_id = p.id JOIN reservations r ON r.id = l.reservation_id
         WHERE p.id = {product}"
    );
    let mut rows = Databases::of(&shop().host).rows("products_database", &query).await;
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[tokio::test]
async fn what_is_sold_while_its_time_ends_is_sold_once() {
    for turn in BOTH_TURNS {
        let sale = Sale::pending().await;
        let held = hold("products_database", "products", sale.product).await;
        let ends = end_the_time_of(sale.product);
        let (paid, ()) = meet(held, turn, sale.customer.confirm(sale.payment, "tok_ok"), ends).await;
        paid.expect(200);
        sale.customer.order_becomes(sale.order, "paid").await;
        assert_eq!(stock(sale.product).await, (3, 0, "committed".to_owned()));
        assert_eq!(sale.moved().await, (1, 2000, 0, 0));
    }
}

#[tokio::test]
async fn what_is_sold_while_its_order_is_cancelled_comes_back_once() {
    let sale = Sale::pending().await;
    let held = hold("products_database", "products", sale.product).await;
    let paying = sale.customer.confirm(sale.payment, "tok_ok");
    let (paid, cancelled) = meet(held, Turn::AsNamed, paying, sale.cancel()).await;
    paid.expect(200);
    cancelled.expect(200);
    assert_eq!(sale.undone().await, (1, 1));
    assert_eq!(stock(sale.product).await, (5, 0, "undone".to_owned()));
    let sum = format!("SELECT sum(delta)::bigint FROM movements WHERE product_id = {}", sale.product);
    assert_eq!(Databases::of(&shop().host).number("products_database", &sum).await, 5);
}

#[tokio::test]
async fn what_is_taken_up_again_while_its_time_ends_is_held_once_and_for_all_of_the_time() {
    for turn in BOTH_TURNS {
        let product = shop().product("10.00", 5).await;
        let customer = shop().customer().await;
        let (key, body) = (fresh_key(), order_body(&[(product, 2)]));
        let send = async || customer.client.post("/api/v1/orders", &body).key(&key).await;
        // The products' database hangs up on the first attempt; its reservation is made as if it had died a little later.
        let mut held = hold("products_database", "products", product).await;
        let hang_up = async {
            held.until_waiting(1).await;
            held.turn_away().await;
            held.let_go().await;
        };
        let (failed, ()) = tokio::join!(send(), hang_up);
        failed.problem(503);
        let reservation = reservation_of(customer.id, &key).await;
        in_products(&format!(
            "BEGIN;
             INSERT INTO reservations (id, status, expires_at) VALUES ('{reservation}', 'held', now() + interval '1 hour');
             INSERT INTO reservation_lines (reservation_id, product_id, quantity, name, price_minor, currency)
             VALUES ('{reservation}', {product}, 2, 'Teapot', 1000, 'EUR');
             UPDATE products SET reserved = 2 WHERE id = {product};
             COMMIT"
        ))
        .await;

        let held = hold("products_database", "products", product).await;
        let ((), taken) = meet(held, turn, end_the_time_of(product), send()).await;
        let order = id_of(&taken.expect(201).json());
        assert_eq!(stock(product).await, (5, 2, "held".to_owned()));
        assert_eq!(reservation_of(customer.id, &key).await, reservation, "it has the name that it had");
        let lasts = format!("SELECT expires_at::text FROM reservations WHERE id = '{reservation}'");
        let lasts = Databases::of(&shop().host).rows::<(String,)>("products_database", &lasts).await;
        let waits = format!("SELECT count(*) FROM orders WHERE id = {order} AND expires_at < '{}'", lasts[0].0);
        assert_eq!(Databases::of(&shop().host).number("orders_database", &waits).await, 1);
    }
}

/// The name that a key has fixed for its reservation.
async fn reservation_of(user: i64, key: &str) -> String {
    let query =
        format!("SELECT ids ->> 'reservationId' FROM idempotency_keys WHERE user_id = {user} AND key = '{key}'");
    Databases::of(&shop().host).rows::<(String,)>("orders_database", &query).await.remove(0).0
}
