-- Payments, the attempts to make them, what was given back, and what the service remembers about keys and events.

CREATE TABLE payments (
    id               bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id         bigint      NOT NULL UNIQUE,
    user_id          bigint      NOT NULL,
    amount_minor     bigint      NOT NULL CHECK (amount_minor > 0),
    currency         text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    status           text        NOT NULL CHECK (status IN ('requires_payment', 'processing', 'succeeded', 'cancelled')),
    -- The provider that took the money, or is asked to.
    provider         text,
    charge_id        text,
    -- The number of the last attempt; it is the open one while the payment is processing.
    attempts         bigint      NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    declines         bigint      NOT NULL DEFAULT 0 CHECK (declines BETWEEN 0 AND 5),
    -- The order is cancelled: whatever is charged from here on goes back.
    order_cancelled  boolean     NOT NULL DEFAULT false,
    -- Promised back, whether it arrived or not; and arrived.
    refunding_minor  bigint      NOT NULL DEFAULT 0,
    refunded_minor   bigint      NOT NULL DEFAULT 0,
    version          bigint      NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_stay_within_the_charge CHECK (0 <= refunded_minor AND refunded_minor <= refunding_minor AND refunding_minor <= amount_minor),
    CONSTRAINT only_a_charge_is_refunded CHECK (refunding_minor = 0 OR status = 'succeeded'),
    CONSTRAINT a_charge_has_its_provider CHECK (status <> 'succeeded' OR (provider IS NOT NULL AND charge_id IS NOT NULL))
);

CREATE INDEX payments_by_time ON payments (created_at DESC, id DESC);
CREATE INDEX payments_by_user ON payments (user_id, created_at DESC, id DESC);

-- Committed before the provider is called, so that every charge is known under its key.
CREATE TABLE attempts (
    payment_id bigint      NOT NULL REFERENCES payments (id),
    number     bigint      NOT NULL CHECK (number >= 1),
    key        text        NOT NULL UNIQUE,
    provider   text        NOT NULL,
    -- Kept only while the attempt is open, to ask again after a lost answer.
    token      text,
    state      text        NOT NULL CHECK (state IN ('open', 'succeeded', 'declined', 'invalid', 'abandoned')),
    -- The provider's code of a decline, or its id of the charge.
    result     text,
    -- Where the customer must act, when the provider asked for it.
    action_url text,
    sent_at    timestamptz NOT NULL DEFAULT now(),
    -- When the clock asks the provider what became of it.
    look_at    timestamptz NOT NULL DEFAULT now() + interval '5 seconds',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (payment_id, number),
    CONSTRAINT a_closed_attempt_forgets_its_token CHECK ((state = 'open') = (token IS NOT NULL))
);

CREATE UNIQUE INDEX one_open_attempt_per_payment ON attempts (payment_id) WHERE state = 'open';
CREATE UNIQUE INDEX one_charge_per_payment ON attempts (payment_id) WHERE state = 'succeeded';
CREATE INDEX attempts_to_settle ON attempts (look_at) WHERE state = 'open';

CREATE SEQUENCE refund_number AS bigint;

CREATE TABLE refunds (
    id            bigint      PRIMARY KEY DEFAULT nextval('refund_number'),
    payment_id    bigint      NOT NULL REFERENCES payments (id),
    key           text        NOT NULL UNIQUE,
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    reason        text        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    -- The provider's id of the refund, or its code of a refusal.
    result        text,
    tries         bigint      NOT NULL DEFAULT 0,
    next_try_at   timestamptz NOT NULL DEFAULT now(),
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX refunds_by_payment ON refunds (payment_id);
CREATE INDEX refunds_to_make ON refunds (next_try_at) WHERE state = 'pending';

-- A key's row comes first, fixes the ids to be used (a refund's number, or the attempt once it began), and leases the work to one
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

-- Events and webhooks that already had their effect.
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
