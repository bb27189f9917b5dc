-- What the pretended provider remembers: one row per key, so that a key moves money once.

CREATE TABLE charges (
    key            text        PRIMARY KEY,
    id             text        NOT NULL UNIQUE DEFAULT 'ch_' || replace(gen_random_uuid()::text, '-', ''),
    payment_id     bigint      NOT NULL,
    amount_minor   bigint      NOT NULL CHECK (amount_minor > 0),
    currency       text        NOT NULL,
    token          text        NOT NULL,
    -- `failing` has moved nothing yet: it stands for a provider that must be asked again.
    state          text        NOT NULL CHECK (state IN ('succeeded', 'declined', 'action_required', 'failing')),
    code           text,
    -- How often it was asked for.
    calls          bigint      NOT NULL DEFAULT 1,
    refunded_minor bigint      NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE refunds (
    key          text        PRIMARY KEY,
    id           text        NOT NULL UNIQUE DEFAULT 're_' || replace(gen_random_uuid()::text, '-', ''),
    charge_id    text        NOT NULL REFERENCES charges (id),
    amount_minor bigint      NOT NULL CHECK (amount_minor > 0),
    created_at   timestamptz NOT NULL DEFAULT now()
);
