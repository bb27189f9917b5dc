-- The versions of an order are 1, 2, 3 …, its statuses a way that orders may go, and the last of them is where it stands.
WITH step AS (
    SELECT order_id, version, status, reason, row_number() OVER way AS place, lag(status) OVER way AS before
    FROM order_history WINDOW way AS (PARTITION BY order_id ORDER BY version)
)
SELECT 'order ' || order_id || ', version ' || version AS broken
FROM step
WHERE version <> place
    OR (coalesce(before, ''), status) NOT IN (('', 'pending'), ('pending', 'paid'), ('pending', 'cancelled'), ('paid', 'shipped'),
        ('paid', 'cancelled'), ('shipped', 'delivered'))
    OR (status = 'cancelled') <> (reason IS NOT NULL)
UNION ALL
SELECT 'order ' || placed.id || ' is not where its history ends'
FROM orders AS placed
LEFT JOIN (
    SELECT DISTINCT ON (order_id) order_id, version, status FROM order_history ORDER BY order_id, version DESC
) AS last ON last.order_id = placed.id
WHERE (placed.version, placed.status) IS DISTINCT FROM (last.version, last.status)
