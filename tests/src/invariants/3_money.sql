-- Of each payment the shop has what its order is worth: the total of a sold one less what an administrator gave back, nothing of
-- any other. Where that is so for each, it is so for the sums.
WITH moved AS (
    SELECT payment_id, sum(taken_minor) - sum(returned_minor) AS net_minor
    FROM (
        SELECT payment_id, amount_minor AS taken_minor, 0 AS returned_minor FROM taken
        UNION ALL
        SELECT payment_id, 0, amount_minor FROM returned
    ) AS flow
    GROUP BY payment_id
), due AS (
    SELECT payment.id AS payment_id,
        CASE WHEN sold.status IN ('paid', 'shipped', 'delivered') THEN sold.total_minor - payment.refunded_minor ELSE 0 END AS net_minor
    FROM payments AS payment LEFT JOIN orders AS sold ON sold.id = payment.order_id
)
SELECT 'payment ' || coalesce(due.payment_id, moved.payment_id) || ', ' || coalesce(moved.net_minor, 0) || ' instead of '
    || coalesce(due.net_minor, 0) AS broken
FROM due FULL JOIN moved ON moved.payment_id = due.payment_id
WHERE coalesce(moved.net_minor, 0) <> coalesce(due.net_minor, 0)
ORDER BY coalesce(due.payment_id, moved.payment_id)
