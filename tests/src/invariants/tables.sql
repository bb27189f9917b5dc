-- Copies of what the services say, side by side in one session.
CREATE TEMP TABLE orders (id bigint, status text, total_minor bigint, currency text, reservation_id uuid, version bigint,
    created_at timestamptz, expires_at timestamptz);
CREATE TEMP TABLE order_lines (order_id bigint, product_id bigint, quantity bigint, price_minor bigint);
CREATE TEMP TABLE order_history (order_id bigint, version bigint, status text, reason text, changed_at timestamptz);
CREATE TEMP TABLE order_keys (key text, number bigint, answered_status bigint, answered bigint);
CREATE TEMP TABLE order_inbox (event_id uuid, received_at timestamptz);
CREATE TEMP TABLE order_outbox (id uuid, seq bigint, topic text, key text, type text, created_at timestamptz,
    published_at timestamptz);

CREATE TEMP TABLE products (id bigint, on_hand bigint, reserved bigint);
CREATE TEMP TABLE movements (product_id bigint, delta bigint, reservation_id uuid);
CREATE TEMP TABLE reservations (id uuid, status text, expires_at timestamptz);
CREATE TEMP TABLE reservation_lines (reservation_id uuid, product_id bigint, quantity bigint);
CREATE TEMP TABLE product_inbox (event_id uuid, received_at timestamptz);
CREATE TEMP TABLE product_outbox (id uuid, seq bigint, topic text, key text, type text, created_at timestamptz,
    published_at timestamptz);

CREATE TEMP TABLE payments (id bigint, order_id bigint, amount_minor bigint, currency text, status text, order_cancelled boolean,
    refunded_minor bigint, created_at timestamptz);
CREATE TEMP TABLE attempts (payment_id bigint, number bigint, key text, provider text, state text, action_url text,
    look_at timestamptz, created_at timestamptz);
CREATE TEMP TABLE payment_refunds (id bigint, payment_id bigint, key text, amount_minor bigint, state text,
    next_try_at timestamptz, created_at timestamptz);
CREATE TEMP TABLE payment_keys (key text, route text, number bigint, attempt bigint);
CREATE TEMP TABLE payment_inbox (event_id uuid, received_at timestamptz);
CREATE TEMP TABLE payment_outbox (id uuid, seq bigint, topic text, key text, type text, created_at timestamptz,
    published_at timestamptz);

CREATE TEMP TABLE notifications (order_id bigint, type text);
CREATE TEMP TABLE notification_inbox (event_id uuid, received_at timestamptz);

CREATE TEMP TABLE charges (id text, payment_id bigint, amount_minor bigint, currency text, state text);
CREATE TEMP TABLE charge_refunds (charge_id text, amount_minor bigint);
CREATE TEMP TABLE dead_letters (event_id text, component text);
-- Events that the bus in the process keeps for a subscriber that did not take them so far.
CREATE TEMP TABLE waiting_events (event_id uuid, component text);
-- Dead letters on brokers that were replayed since, and taken: they stay on their topics.
CREATE TEMP TABLE taken_letters (topic text, partition bigint, position bigint, at_ms bigint);

CREATE INDEX ON order_history (order_id);
CREATE INDEX ON order_keys (number);
CREATE INDEX ON movements (reservation_id, product_id);
CREATE INDEX ON payments (order_id);
CREATE INDEX ON attempts (payment_id);
CREATE INDEX ON payment_keys (route);
CREATE INDEX ON charges (payment_id);

-- The money that moved, by the books of who moved it: the sandbox's own, or what the payments noted where it was somebody else.
CREATE TEMP VIEW taken AS
    SELECT payment_id, amount_minor, currency FROM charges WHERE state = 'succeeded'
    UNION ALL
    SELECT payment_id, amount_minor, currency
    FROM attempts JOIN payments ON payments.id = payment_id
    WHERE attempts.state = 'succeeded' AND attempts.provider <> 'sandbox';
CREATE TEMP VIEW returned AS
    SELECT payment_id, charge_refunds.amount_minor FROM charge_refunds JOIN charges ON charges.id = charge_id
    UNION ALL
    SELECT payment_refunds.payment_id, payment_refunds.amount_minor
    FROM payment_refunds JOIN attempts USING (payment_id)
    WHERE payment_refunds.state = 'succeeded' AND attempts.state = 'succeeded' AND attempts.provider <> 'sandbox';

-- What was told, whom it reached, and who must heed what: a subscriber more is a line more in the last two,
-- and its inbox above.
CREATE TEMP VIEW event AS
    SELECT 'orders' AS publisher, order_outbox.* FROM order_outbox
    UNION ALL SELECT 'payments', payment_outbox.* FROM payment_outbox
    UNION ALL SELECT 'products', product_outbox.* FROM product_outbox;
CREATE TEMP VIEW received AS
    SELECT 'orders' AS subscriber, event_id, received_at FROM order_inbox
    UNION ALL SELECT 'payments', event_id, received_at FROM payment_inbox
    UNION ALL SELECT 'products', event_id, received_at FROM product_inbox
    UNION ALL SELECT 'notifications', event_id, received_at FROM notification_inbox;
CREATE TEMP VIEW heeded (type, subscriber) AS
    VALUES ('ORDER_CREATED', 'payments'), ('ORDER_CANCELLED', 'payments'), ('ORDER_CANCELLED', 'products'),
        ('PAYMENT_SUCCEEDED', 'orders'), ('PAYMENT_FAILED', 'orders'), ('ORDER_CREATED', 'notifications'),
        ('ORDER_PAID', 'notifications'), ('ORDER_SHIPPED', 'notifications'), ('ORDER_DELIVERED', 'notifications'),
        ('ORDER_CANCELLED', 'notifications');
-- What must have an effect on whom, and when it had; never, so far, where there is no time.
CREATE TEMP VIEW effect AS
    SELECT heeded.subscriber, event.publisher, event.seq, event.key, event.created_at, event.published_at,
        received.received_at
    FROM event JOIN heeded USING (type)
    LEFT JOIN received ON received.subscriber = heeded.subscriber AND received.event_id = event.id;
