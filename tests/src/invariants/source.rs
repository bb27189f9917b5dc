/// A service's database, and a text that changes with everything that could matter to a rule.
#[derive(Clone, Copy)]
pub(super) struct Source {
    /// Its name.
    pub database: &'static str,
    /// The text.
    pub pulse: &'static str,
    /// What is copied of it: the table it is copied to, and the rows in the order of that table's columns.
    pub copies: &'static [(&'static str, &'static str)],
}

/// Where the ledger comes from.
pub(super) const SOURCES: [Source; 6] = [
    Source {
        database: "orders_database",
        pulse: "SELECT concat_ws(' ', count(*), sum(version), (SELECT count(*) FROM inbox),
            (SELECT count(*) FROM outbox WHERE published_at IS NOT NULL)) FROM orders",
        copies: &[
            (
                "orders",
                "SELECT id, status, total_minor, currency, reservation_id, version, created_at, expires_at FROM orders",
            ),
            ("order_lines", "SELECT order_id, product_id, quantity, price_minor FROM order_lines"),
            ("order_history", "SELECT order_id, version, status, reason, changed_at FROM order_history"),
            (
                "order_keys",
                "SELECT key, (ids ->> 'number')::bigint, (answer ->> 'status')::bigint,
                    CASE answer ->> 'status' WHEN '201' THEN ((answer ->> 'body')::jsonb ->> 'id')::bigint END
                 FROM idempotency_keys",
            ),
            ("order_inbox", "SELECT event_id, received_at FROM inbox"),
            ("order_outbox", "SELECT id, seq, topic, key, type, created_at, published_at FROM outbox"),
        ],
    },
    Source {
        database: "products_database",
        pulse: "SELECT concat_ws(' ', sum(on_hand), sum(reserved), (SELECT count(*) FROM movements),
            (SELECT count(*) FROM reservations WHERE status = 'held'), (SELECT count(*) FROM reservations),
            (SELECT count(*) FROM inbox)) FROM products",
        copies: &[
            ("products", "SELECT id, on_hand, reserved FROM products"),
            ("movements", "SELECT product_id, delta, reservation_id FROM movements"),
            ("reservations", "SELECT id, status, expires_at FROM reservations"),
            ("reservation_lines", "SELECT reservation_id, product_id, quantity FROM reservation_lines"),
            ("product_inbox", "SELECT event_id, received_at FROM inbox"),
            ("product_outbox", "SELECT id, seq, topic, key, type, created_at, published_at FROM outbox"),
        ],
    },
    Source {
        database: "payments_database",
        pulse: "SELECT concat_ws(' ', count(*), sum(version), (SELECT count(*) FROM attempts),
            (SELECT count(*) FROM refunds), (SELECT count(*) FROM inbox),
            (SELECT count(*) FROM outbox WHERE published_at IS NOT NULL)) FROM payments",
        copies: &[
            (
                "payments",
                "SELECT id, order_id, amount_minor, currency, status, order_cancelled, refunded_minor, created_at
                 FROM payments",
            ),
            (
                "attempts",
                "SELECT payment_id, number, key, provider, state, action_url, look_at, created_at FROM attempts",
            ),
            (
                "payment_refunds",
                "SELECT id, payment_id, key, amount_minor, state, next_try_at, created_at FROM refunds",
            ),
            (
                "payment_keys",
                "SELECT key, route, (ids ->> 'number')::bigint, (ids ->> 'attempt')::bigint FROM idempotency_keys",
            ),
            // Webhooks are remembered beside events, under names of their own.
            ("payment_inbox", "SELECT event_id, received_at FROM inbox WHERE event_id NOT LIKE 'webhook:%'"),
            ("payment_outbox", "SELECT id, seq, topic, key, type, created_at, published_at FROM outbox"),
        ],
    },
    Source {
        database: "notifications_database",
        pulse: "SELECT concat_ws(' ', count(*), (SELECT count(*) FROM inbox)) FROM notifications",
        copies: &[
            ("notifications", "SELECT order_id, type FROM notifications"),
            ("notification_inbox", "SELECT event_id, received_at FROM inbox"),
        ],
    },
    Source {
        database: "sandbox_database",
        pulse: "SELECT concat_ws(' ', count(*), sum(calls), sum(refunded_minor)) FROM charges",
        copies: &[
            ("charges", "SELECT id, payment_id, amount_minor, currency, state FROM charges"),
            ("charge_refunds", "SELECT charge_id, amount_minor FROM refunds"),
        ],
    },
    Source {
        database: "plaza",
        pulse: "SELECT concat_ws(' ', count(*), (SELECT count(*) FROM waiting_events)) FROM dead_letters",
        copies: &[
            ("waiting_events", "SELECT event_id, component FROM waiting_events"),
            ("dead_letters", "SELECT event_id, component FROM dead_letters"),
            (
                "taken_letters",
                "SELECT topic, partition, position, (extract(epoch FROM at) * 1000)::bigint
                 FROM replayed_letters WHERE taken_at IS NOT NULL",
            ),
        ],
    },
];
