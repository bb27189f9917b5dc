-- Orders, the path each one took, and what the service remembers about keys and events.

-- Order numbers are drawn with the idempotency key, before the order exists; a gap is a request that failed.
CREATE SEQUENCE order_number AS bigint;

CREATE TABLE orders (
    id             bigint      PRIMARY KEY,
    user_id        bigint      NOT NULL,
    reservation_id uuid        NOT NULL UNIQUE,
    status         text        NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
    reason         text        CHECK (reason IN ('user', 'admin', 'expired', 'payment_failed', 'out_of_stock')),
    total_minor    bigint      NOT NULL CHECK (total_minor > 0),
    currency       text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version        bigint      NOT NULL CHECK (version >= 1),
    carrier        text,
    tracking       text,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    CONSTRAINT a_cancelled_order_has_a_reason CHECK ((status = 'cancelled') = (reason IS NOT NULL))
);

CREATE INDEX orders_by_time ON orders (created_at DESC, id DESC);
CREATE INDEX orders_by_user ON orders (user_id, created_at DESC, id DESC);
CREATE INDEX orders_to_expire ON orders (expires_at) WHERE status = 'pending';

-- Name and price are those of the moment of the order.
CREATE TABLE order_lines (
    order_id    bigint  NOT NULL REFERENCES orders (id),
    product_id  bigint  NOT NULL,
    quantity    bigint  NOT NULL CHECK (quantity > 0),
    name        text    NOT NULL,
    price_minor bigint  NOT NULL CHECK (price_minor >= 0),
    PRIMARY KEY (order_id, product_id)
);

-- One row per version of an order; rows are only ever added.
CREATE TABLE order_history (
    order_id   bigint      NOT NULL REFERENCES orders (id),
    version    bigint      NOT NULL CHECK (version >= 1),
    status     text        NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
    reason     text,
    actor      text        NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (order_id, version)
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;

CREATE TRIGGER order_history_is_append_only
    BEFORE UPDATE OR DELETE ON order_history
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A key's row comes first, fixes the ids to be used (the order's number and the reservation), and leases the work to one
-- request at a time.
CREATE TABLE idempotency_keys (
    user_id      bigint      NOT NULL,
    route        text        NOT NULL,
    key          text        NOT NULL,
    body_hash    bytea       NOT NULL,
    ids          jsonb       NOT NULL,
    lease        uuid        NOT NULL,
    leased_until timestamptz NOT NULL,
    answer       jsonb,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, route, key)
);

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

-- Events that already had their effect.
CREATE TABLE inbox (
    event_id    text        PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX inbox_by_age ON inbox (received_at);

-- Events waiting for the host's relay, written in the statement that made them true.
CREATE TABLE outbox (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    seq          bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    topic        text        NOT NULL,
    key          text        NOT NULL,
    type         text        NOT NULL,
    data         jsonb       NOT NULL,
    traceparent  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);

CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
