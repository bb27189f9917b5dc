-- Every event reached the bus, and had its effect on whoever must heed it: once, never less, never more. Published events are kept
-- for a week, so only what is younger is asked about.
WITH step AS (
    SELECT order_id, status, CASE status WHEN 'pending' THEN 'ORDER_CREATED' ELSE 'ORDER_' || upper(status) END AS type
    FROM order_history WHERE changed_at > now() - interval '6 days'
), piece AS (
    -- The pieces of an order leave once when it is paid, and come back once when it is cancelled after that.
    SELECT placed.id AS order_id, placed.status, line.product_id,
        count(*) FILTER (WHERE movement.delta = -line.quantity) AS gone,
        count(*) FILTER (WHERE movement.delta = line.quantity) AS returned
    FROM orders AS placed JOIN order_lines AS line ON line.order_id = placed.id
    LEFT JOIN movements AS movement
        ON movement.reservation_id = placed.reservation_id AND movement.product_id = line.product_id
    GROUP BY placed.id, placed.status, line.product_id
)
SELECT 'event ' || seq || ' of ' || publisher || ' is not published' AS broken FROM event WHERE published_at IS NULL
UNION ALL
SELECT 'event ' || seq || ' of ' || publisher || ' had no effect on ' || subscriber FROM effect
WHERE published_at IS NOT NULL AND received_at IS NULL
UNION ALL
SELECT 'event ' || event_id || ' was rejected by ' || component FROM dead_letters
UNION ALL
SELECT 'order ' || order_id || ' told ' || count(event.id) || ' times that it is ' || status
FROM step LEFT JOIN event ON event.key = 'order-' || order_id AND event.type = step.type AND event.publisher = 'orders'
GROUP BY order_id, status HAVING count(event.id) <> 1
UNION ALL
SELECT event.type || ' of ' || event.key || ' became ' || count(told.type) || ' notifications'
FROM event LEFT JOIN notifications AS told
    ON event.key = 'order-' || told.order_id AND upper(told.type) = replace(event.type, 'CREATED', 'PLACED')
WHERE event.publisher = 'orders' AND published_at IS NOT NULL
GROUP BY event.key, event.type HAVING count(told.type) <> 1
UNION ALL
SELECT 'order ' || placed.id || ' has ' || count(payment.id) || ' payments'
FROM orders AS placed LEFT JOIN payments AS payment ON payment.order_id = placed.id
GROUP BY placed.id HAVING count(payment.id) <> 1
UNION ALL
SELECT 'payment ' || payment.id || ' told ' || count(event.id) || ' times that it succeeded'
FROM payments AS payment
LEFT JOIN event ON event.key = 'order-' || payment.order_id AND event.type = 'PAYMENT_SUCCEEDED' AND event.publisher = 'payments'
WHERE payment.status = 'succeeded' AND payment.created_at > now() - interval '6 days'
GROUP BY payment.id HAVING count(event.id) <> 1
UNION ALL
SELECT 'order ' || order_id || ', product ' || product_id || ': ' || gone || ' times gone, ' || returned || ' times returned'
FROM piece
WHERE gone <> CASE WHEN status IN ('paid', 'shipped', 'delivered') THEN 1 WHEN status = 'pending' THEN 0 ELSE returned END
    OR gone > 1 OR returned > 1 OR (returned > 0 AND status <> 'cancelled')
