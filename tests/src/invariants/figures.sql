-- How much there was to look at, for each rule: what holds for nothing proves nothing.
SELECT * FROM (VALUES
    (1, (SELECT count(*) || ' products, ' || (SELECT count(*) FROM movements) || ' movements' FROM products)),
    (2, (SELECT count(*) || ' sold orders' FROM orders WHERE status IN ('paid', 'shipped', 'delivered'))),
    (3, (SELECT (SELECT coalesce(sum(amount_minor), 0) FROM taken) || ' taken - '
        || (SELECT coalesce(sum(amount_minor), 0) FROM returned) || ' returned = '
        || (SELECT coalesce(sum(total_minor), 0) FROM orders WHERE status IN ('paid', 'shipped', 'delivered')) || ' sold - '
        || (SELECT coalesce(sum(refunded_minor), 0) FROM payments JOIN orders ON orders.id = order_id
            WHERE orders.status IN ('paid', 'shipped', 'delivered')) || ' of it given back, in minor units')),
    (4, (SELECT count(*) || ' cancelled orders' FROM orders WHERE status = 'cancelled')),
    (5, (SELECT count(*) || ' events' FROM (
        SELECT id FROM order_outbox UNION ALL SELECT id FROM payment_outbox UNION ALL SELECT id FROM product_outbox) AS event)),
    (6, (SELECT count(*) || ' steps' FROM order_history)),
    (7, (SELECT (SELECT count(*) FROM order_keys) + (SELECT count(*) FROM payment_keys) || ' keys')),
    (8, (SELECT count(*) || ' lines' FROM order_lines)),
    (9, (SELECT (SELECT count(*) FROM orders WHERE status = 'pending') || ' pending orders, '
        || (SELECT count(*) FROM reservations WHERE status = 'held') || ' held reservations, '
        || (SELECT count(*) FROM attempts WHERE state = 'open') || ' open attempts'))
) AS figure (number, text)
