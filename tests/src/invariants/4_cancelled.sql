-- What was cancelled keeps no pieces, has taken none for good, and has cost nothing.
WITH gone AS (
    SELECT reservation_id, sum(delta) AS pieces FROM movements GROUP BY reservation_id
), moved AS (
    SELECT payment_id, sum(amount_minor) AS net_minor
    FROM (SELECT payment_id, amount_minor FROM taken UNION ALL SELECT payment_id, -amount_minor FROM returned) AS flow
    GROUP BY payment_id
)
SELECT 'order ' || cancelled.id AS broken
FROM orders AS cancelled
LEFT JOIN reservations AS reservation ON reservation.id = cancelled.reservation_id
LEFT JOIN gone ON gone.reservation_id = cancelled.reservation_id
LEFT JOIN payments AS payment ON payment.order_id = cancelled.id
LEFT JOIN moved ON moved.payment_id = payment.id
WHERE cancelled.status = 'cancelled'
    AND (reservation.status IN ('held', 'committed') OR coalesce(gone.pieces, 0) <> 0 OR coalesce(moved.net_minor, 0) <> 0)
ORDER BY cancelled.id
