-- What an order costs is what its lines cost.
SELECT 'order ' || placed.id AS broken
FROM orders AS placed LEFT JOIN order_lines AS line ON line.order_id = placed.id
GROUP BY placed.id, placed.total_minor
HAVING placed.total_minor IS DISTINCT FROM sum(line.quantity * line.price_minor)
ORDER BY placed.id
