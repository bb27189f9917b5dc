-- The trace in which each of these began, for what the clock or a webhook says of it later.

-- That of the order, whose event opened the payment.
ALTER TABLE payments ADD COLUMN traceparent text;
-- That of the request that paid.
ALTER TABLE attempts ADD COLUMN traceparent text;
-- That of the request that gave the money back, or cancelled the order.
ALTER TABLE refunds ADD COLUMN traceparent text;
