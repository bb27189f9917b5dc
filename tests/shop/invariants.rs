//! The command that asks a running shop whether everything that must always hold does hold. Each rule is broken by hand here, to
//! see that it is found.

use std::process::{Command, Output};

use plaza_tests::{
    Shop,
    databases::Databases,
    shop::{fresh_key, id_of},
};
use serde_json::json;

const ORDERS: &str = "orders_database";
const PAYMENTS: &str = "payments_database";
const PRODUCTS: &str = "products_database";
const SANDBOX: &str = "sandbox_database";
const NOTIFICATIONS: &str = "notifications_database";

/// Database, what breaks it, what mends it again, and which rules are broken meanwhile. `SOLD` stands for a paid order, of which a
/// part was given back, `GONE` for one cancelled before it was paid; each is the payment's number as well.
const BREAKS: &[(&str, &str, &str, &[usize])] = &[
    (
        PRODUCTS,
        "INSERT INTO movements (product_id, delta, reason) VALUES (1, 1, 'by hand')",
        "DELETE FROM movements WHERE reason = 'by hand'",
        &[1],
    ),
    (
        PRODUCTS,
        "UPDATE products SET reserved = reserved + 1 WHERE id = 1",
        "UPDATE products SET reserved = reserved - 1 WHERE id = 1",
        &[1],
    ),
    (
        SANDBOX,
        "UPDATE charges SET currency = 'USD' WHERE payment_id = SOLD",
        "UPDATE charges SET currency = 'EUR' WHERE payment_id = SOLD",
        &[2],
    ),
    (
        SANDBOX,
        "INSERT INTO charges (key, payment_id, amount_minor, currency, token, state)
            VALUES ('twice', SOLD, 1, 'EUR', 'x', 'succeeded')",
        "DELETE FROM charges WHERE key = 'twice'",
        &[2, 3],
    ),
    (
        SANDBOX,
        "INSERT INTO refunds (key, charge_id, amount_minor)
            SELECT 'by hand', id, 1 FROM charges WHERE payment_id = SOLD",
        "DELETE FROM refunds WHERE key = 'by hand'",
        &[3],
    ),
    (
        SANDBOX,
        "INSERT INTO charges (key, payment_id, amount_minor, currency, token, state)
            VALUES ('late', GONE, 1, 'EUR', 'x', 'succeeded')",
        "DELETE FROM charges WHERE key = 'late'",
        &[3, 4],
    ),
    (
        PRODUCTS,
        "UPDATE reservations SET status = 'committed' WHERE status = 'undone'",
        "UPDATE reservations SET status = 'undone' WHERE status = 'committed'
            AND id NOT IN (SELECT reservation_id FROM movements WHERE reservation_id IS NOT NULL)",
        &[4],
    ),
    (
        PAYMENTS,
        "UPDATE inbox SET event_id = translate(event_id, '0123456789abcdef', '123456789abcdef0')",
        "UPDATE inbox SET event_id = translate(event_id, '123456789abcdef0', '0123456789abcdef')",
        &[5],
    ),
    (
        NOTIFICATIONS,
        "UPDATE inbox SET event_id = translate(event_id, '0123456789abcdef', '123456789abcdef0')",
        "UPDATE inbox SET event_id = translate(event_id, '123456789abcdef0', '0123456789abcdef')",
        &[5],
    ),
    (
        NOTIFICATIONS,
        "UPDATE notifications SET order_id = 1000 + order_id WHERE type = 'order_paid'",
        "UPDATE notifications SET order_id = order_id - 1000 WHERE type = 'order_paid'",
        &[5],
    ),
    (
        "plaza",
        "INSERT INTO dead_letters (topic, component, event_id, event, reason)
            VALUES ('t', 'orders', gen_random_uuid(), '{}', 'by hand')",
        "DELETE FROM dead_letters WHERE reason = 'by hand'",
        &[5],
    ),
    (
        PRODUCTS,
        "INSERT INTO movements (product_id, delta, reason, reservation_id)
            SELECT product_id, d, 'by hand', reservation_id FROM movements, unnest(ARRAY[delta, -delta]) AS d
            WHERE reason = 'sold'",
        "DELETE FROM movements WHERE reason = 'by hand'",
        &[5],
    ),
    (
        ORDERS,
        "UPDATE orders SET version = version + 1 WHERE id = SOLD",
        "UPDATE orders SET version = version - 1 WHERE id = SOLD",
        &[6],
    ),
    (
        ORDERS,
        "ALTER TABLE order_history DISABLE TRIGGER USER;
            UPDATE order_history SET version = 3 WHERE order_id = SOLD AND version = 2;
            UPDATE orders SET version = 3 WHERE id = SOLD",
        "UPDATE order_history SET version = 2 WHERE order_id = SOLD AND version = 3;
            UPDATE orders SET version = 2 WHERE id = SOLD",
        &[6],
    ),
    (
        ORDERS,
        "UPDATE idempotency_keys SET ids = ids || jsonb_build_object('number', 1000 + (ids ->> 'number')::bigint)",
        "UPDATE idempotency_keys SET ids = ids || jsonb_build_object('number', (ids ->> 'number')::bigint - 1000)",
        &[7],
    ),
    (
        PAYMENTS,
        "UPDATE idempotency_keys SET ids = ids || jsonb_build_object('attempt', 1000 + (ids ->> 'attempt')::bigint)",
        "UPDATE idempotency_keys SET ids = ids || jsonb_build_object('attempt', (ids ->> 'attempt')::bigint - 1000)",
        &[7],
    ),
    (
        ORDERS,
        "UPDATE order_lines SET price_minor = price_minor + 1 WHERE order_id = SOLD",
        "UPDATE order_lines SET price_minor = price_minor - 1 WHERE order_id = SOLD",
        &[8],
    ),
    (
        PAYMENTS,
        "UPDATE payments SET status = 'requires_payment' WHERE id = GONE",
        "UPDATE payments SET status = 'cancelled' WHERE id = GONE",
        &[9],
    ),
];

fn ask(shop: &Shop, arguments: &[&str]) -> Output {
    let folder = shop.host.setup().state().path();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plaza-invariants"));
    command.arg("--state-dir").arg(folder).args(arguments).output().unwrap()
}

/// The numbers of the rules that a report calls broken; every rule has its line.
fn broken(output: &Output) -> Vec<usize> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = |number: usize| {
        text.lines().find(|line| line.starts_with(&format!("{number}  "))).unwrap_or_else(|| panic!("{output:?}"))
    };
    (1..=9).filter(|number| line(*number).contains("BROKEN")).collect()
}

#[tokio::test]
async fn the_command_finds_whatever_is_broken_and_nothing_else() {
    let shop = Shop::start();
    let product = shop.product("10.00", 10).await;
    let customer = shop.customer().await;
    let sold = id_of(&customer.order(&[(product, 2)]).await);
    customer.pay(sold).await;
    let payment = id_of(&customer.payment_of(sold).await);
    let part = json!({"amount": 5.00, "reason": "a scratch"});
    let admin = shop.admin().await;
    admin.post(&format!("/api/v1/payments/{payment}/refunds"), &part).key(&fresh_key()).await.expect(201);
    let gone = id_of(&customer.order(&[(product, 1)]).await);
    let payment_of_gone = id_of(&customer.payment_of(gone).await);
    customer.client.request("POST", &format!("/api/v1/orders/{gone}/cancel")).await.expect(200);
    assert_eq!((sold, gone), (payment, payment_of_gone), "numbers of orders and payments");

    let databases = Databases::of(&shop.host);
    let sound = ask(&shop, &[]);
    let text = String::from_utf8_lossy(&sound.stdout);
    assert!(sound.status.success() && text.matches("holds").count() == 9, "{text}");
    assert!(text.contains("2000 taken - 500 returned = 2000 sold - 500 of it given back"), "{text}");
    for (database, breaks, mends, rules) in BREAKS {
        let statement = |text: &str| text.replace("SOLD", &sold.to_string()).replace("GONE", &gone.to_string());
        databases.execute(database, &statement(breaks)).await;
        let output = ask(&shop, &[]);
        assert_eq!(broken(&output), *rules, "after {breaks}:\n{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(1));
        databases.execute(database, &statement(mends)).await;
    }
    let mended = ask(&shop, &[]);
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stdout));
}

#[tokio::test]
async fn what_never_comes_to_an_end_is_told_after_the_wait() {
    let shop = Shop::start();
    let product = shop.product("10.00", 10).await;
    let customer = shop.customer().await;
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.confirm(id_of(&customer.payment_of(order).await), "tok_3ds").await.expect(202);
    let waiting = ask(&shop, &[]);
    assert!(waiting.status.success(), "who waits for the customer holds up nothing");
    let databases = Databases::of(&shop.host);
    let never = "INSERT INTO refunds (payment_id, key, amount_minor, reason, state, next_try_at)
        SELECT id, 'never', 1, 'by hand', 'pending', 'infinity' FROM payments";
    databases.execute(PAYMENTS, never).await;
    let stuck = ask(&shop, &["--wait", "1"]);
    let text = String::from_utf8_lossy(&stuck.stdout);
    assert_eq!((stuck.status.code(), broken(&stuck)), (Some(1), vec![5]), "{text}");
    assert!(text.contains("did not come to rest within 1 s: refund 1 is promised"), "{text}");
    assert_eq!(text.matches("not asked").count(), 5, "{text}");

    let host = shop.host.stop().setup;
    let arguments = ["--state-dir", &host.state().path().display().to_string()];
    let nobody = Command::new(env!("CARGO_BIN_EXE_plaza-invariants")).args(arguments).output().unwrap();
    assert_eq!(nobody.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("Is it running?"));
}
