-- What will still change by itself, so that the books cannot be closed yet.
SELECT 'event ' || seq || ' of ' || publisher || ' is on its way' AS broken FROM event WHERE published_at IS NULL
UNION ALL
-- A broker has it, and brings it soon; after a host has died it takes a little longer.
SELECT 'event ' || seq || ' of ' || publisher || ' is on its way to ' || subscriber FROM effect
WHERE published_at > now() - interval '30 seconds' AND received_at IS NULL
UNION ALL
SELECT 'event ' || event_id || ' waits for ' || component FROM waiting_events
UNION ALL
SELECT 'attempt ' || attempt.key || ' is open'
FROM attempts AS attempt JOIN payments AS payment ON payment.id = attempt.payment_id
-- One that waits for its customer may do so until the order's deadline.
WHERE attempt.state = 'open' AND (attempt.action_url IS NULL OR payment.order_cancelled)
UNION ALL
SELECT 'refund ' || id || ' is promised' FROM payment_refunds WHERE state = 'pending'
UNION ALL
SELECT 'order ' || id || ' expires' FROM orders WHERE status = 'pending' AND expires_at < now()
UNION ALL
SELECT 'reservation ' || id || ' lapses' FROM reservations WHERE status = 'held' AND expires_at < now()
