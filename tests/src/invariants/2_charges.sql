-- What was sold was charged once, with its amount, in its currency.
SELECT 'order ' || sold.id || ', charged ' || count(taken.payment_id) || ' times' AS broken
FROM orders AS sold
LEFT JOIN payments AS payment ON payment.order_id = sold.id
LEFT JOIN taken ON taken.payment_id = payment.id
WHERE sold.status IN ('paid', 'shipped', 'delivered')
GROUP BY sold.id, sold.total_minor, sold.currency
HAVING count(taken.payment_id) <> 1
    OR bool_or(taken.amount_minor <> sold.total_minor OR taken.currency <> sold.currency)
    OR bool_or(payment.status <> 'succeeded')
ORDER BY sold.id
