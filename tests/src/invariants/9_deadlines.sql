-- Whatever waits for something has a deadline, and a minute after it somebody has seen to it: the clock does every few seconds.
SELECT 'order ' || id || ' should have expired' AS broken
FROM orders WHERE status = 'pending' AND expires_at < now() - interval '1 minute'
UNION ALL
SELECT 'reservation ' || id || ' should have lapsed'
FROM reservations WHERE status = 'held' AND expires_at < now() - interval '1 minute'
UNION ALL
SELECT 'attempt ' || key || ' is not asked about'
FROM attempts WHERE state = 'open' AND look_at < now() - interval '1 minute'
UNION ALL
SELECT 'refund ' || id || ' is not tried again'
FROM payment_refunds WHERE state = 'pending' AND next_try_at < now() - interval '1 minute'
UNION ALL
SELECT 'payment ' || id || ' is under way without an attempt'
FROM payments AS payment WHERE status = 'processing'
    AND NOT EXISTS (SELECT FROM attempts WHERE payment_id = payment.id AND state = 'open')
UNION ALL
SELECT 'payment ' || payment.id || ' waits for an order that is cancelled'
FROM payments AS payment JOIN orders AS placed ON placed.id = payment.order_id
WHERE payment.status = 'requires_payment' AND placed.status = 'cancelled'
