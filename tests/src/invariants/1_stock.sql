-- Pieces in the house are what the ledger adds up to, and those of them that are kept are what held reservations keep.
SELECT 'product ' || product.id AS broken
FROM products AS product
LEFT JOIN (SELECT product_id, sum(delta) AS pieces FROM movements GROUP BY product_id) AS ledger
    ON ledger.product_id = product.id
LEFT JOIN (
    SELECT line.product_id, sum(line.quantity) AS pieces
    FROM reservation_lines AS line JOIN reservations AS reservation ON reservation.id = line.reservation_id
    WHERE reservation.status = 'held'
    GROUP BY line.product_id
) AS kept ON kept.product_id = product.id
WHERE NOT (0 <= product.reserved AND product.reserved <= product.on_hand)
    OR product.on_hand <> coalesce(ledger.pieces, 0)
    OR product.reserved <> coalesce(kept.pieces, 0)
ORDER BY product.id
