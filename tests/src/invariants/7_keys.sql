-- One key made one thing, and the answer that is kept with it speaks of that thing. Keys are kept for a day, so only what is younger
-- is asked about. Whether repetitions got the same answer, only who sent them can say.
SELECT 'order ' || placed.id || ' has ' || count(key.key) || ' keys' AS broken
FROM orders AS placed LEFT JOIN order_keys AS key ON key.number = placed.id
WHERE placed.created_at > now() - interval '23 hours'
GROUP BY placed.id HAVING count(key.key) <> 1
UNION ALL
SELECT 'key ' || key.key || ' made order ' || key.number || ', but its answer speaks of ' || key.answered
FROM order_keys AS key WHERE key.answered_status = 201 AND key.answered IS DISTINCT FROM key.number
UNION ALL
SELECT 'key ' || key.key || ' has the answer of an order that is not there'
FROM order_keys AS key WHERE key.answered_status = 201 AND NOT EXISTS (SELECT FROM orders WHERE id = key.number)
UNION ALL
SELECT 'attempt ' || attempt.key || ' has ' || count(key.key) || ' keys'
FROM attempts AS attempt
LEFT JOIN payment_keys AS key
    ON key.route = 'POST /payments/' || attempt.payment_id || '/confirm' AND key.attempt = attempt.number
WHERE attempt.created_at > now() - interval '23 hours'
GROUP BY attempt.key HAVING count(key.key) <> 1
UNION ALL
SELECT 'refund ' || refund.id || ' has ' || count(key.key) || ' keys'
FROM payment_refunds AS refund
LEFT JOIN payment_keys AS key
    ON key.route = 'POST /payments/' || refund.payment_id || '/refunds' AND key.number = refund.id
WHERE refund.key = 'refund-' || refund.id AND refund.created_at > now() - interval '23 hours'
GROUP BY refund.id HAVING count(key.key) <> 1
