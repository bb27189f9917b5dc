-- The rows that the shop writes for an order, in one database.

CREATE TABLE IF NOT EXISTS users (id bigint PRIMARY KEY, name text NOT NULL, email text NOT NULL, active boolean NOT NULL, role text NOT NULL);

CREATE TABLE IF NOT EXISTS products (
    id          bigint      PRIMARY KEY,
    name        text        NOT NULL,
    description text        NOT NULL,
    category    text        NOT NULL,
    price_minor bigint      NOT NULL,
    currency    text        NOT NULL,
    on_hand     bigint      NOT NULL,
    reserved    bigint      NOT NULL CHECK (0 <= reserved AND reserved <= on_hand),
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS reservations (
    reservation_id uuid NOT NULL, product_id bigint NOT NULL, quantity bigint NOT NULL, expires_at timestamptz NOT NULL,
    PRIMARY KEY (reservation_id, product_id)
);

CREATE SEQUENCE IF NOT EXISTS order_number;

CREATE TABLE IF NOT EXISTS orders (
    id bigint PRIMARY KEY, user_id bigint NOT NULL, reservation_id uuid NOT NULL UNIQUE, status text NOT NULL,
    total_minor bigint NOT NULL, currency text NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id, created_at DESC, id DESC);

CREATE TABLE IF NOT EXISTS order_lines (
    order_id bigint NOT NULL REFERENCES orders, product_id bigint NOT NULL, quantity bigint NOT NULL, name text NOT NULL,
    price_minor bigint NOT NULL, PRIMARY KEY (order_id, product_id)
);

CREATE TABLE IF NOT EXISTS order_history (
    order_id bigint NOT NULL REFERENCES orders, version bigint NOT NULL, status text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (order_id, version)
);

CREATE TABLE IF NOT EXISTS outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), seq bigint GENERATED ALWAYS AS IDENTITY UNIQUE, topic text NOT NULL,
    key text NOT NULL, type text NOT NULL, data jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS idempotency_keys (
    user_id bigint NOT NULL, key text NOT NULL, order_id bigint NOT NULL, reservation_id uuid NOT NULL, answer text,
    PRIMARY KEY (user_id, key)
);

INSERT INTO users VALUES (1, 'Ada Lovelace', 'ada@example.com', true, 'customer') ON CONFLICT DO NOTHING;
INSERT INTO products (id, name, description, category, price_minor, currency, on_hand, reserved)
    SELECT number, 'Teapot', 'Holds one litre', 'kitchen', 1999, 'EUR', 1000000, 0 FROM generate_series(1, 50) AS number
    ON CONFLICT DO NOTHING;
