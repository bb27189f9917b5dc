-- What a merchant looks for: orders to send off, of which there may be few among very many.
CREATE INDEX orders_by_status ON orders (status, created_at DESC, id DESC);
