-- What was asked of Stripe under each key of the payments, noted before Stripe hears of it.

CREATE TABLE charges (
    key           text        PRIMARY KEY,
    payment_id    bigint,
    amount_minor  bigint      CHECK (amount_minor > 0),
    currency      text        CHECK (currency ~ '^[a-z]{3}$'),
    -- Of what stands for the customer's card, only enough to tell whether the same one comes again.
    method_sha256 bytea       CHECK (octet_length(method_sha256) = 32),
    -- As it was when the charge began: a request that is repeated must be the same.
    return_url    text,
    -- Names the requests to Stripe, which keeps its answer under that name. A new one takes its place when the kept answer is one
    -- of failure, and can only be had again.
    request_id    uuid        NOT NULL DEFAULT gen_random_uuid(),
    -- The one payment intent that may be confirmed for this key. Stripe lets an intent succeed once.
    intent_id     text        UNIQUE,
    state         text        NOT NULL CHECK (state IN ('open', 'succeeded', 'declined', 'invalid', 'withdrawn')),
    -- Why it was declined or is invalid.
    code          text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- A key may be given up before its charge was ever asked for.
    CONSTRAINT only_a_withdrawn_key_knows_nothing
        CHECK (state = 'withdrawn' OR num_nulls(payment_id, amount_minor, currency, method_sha256) = 0),
    CONSTRAINT what_succeeded_has_its_intent CHECK (state <> 'succeeded' OR intent_id IS NOT NULL)
);

CREATE TABLE refunds (
    key           text        PRIMARY KEY,
    intent_id     text        NOT NULL,
    amount_minor  bigint      NOT NULL CHECK (amount_minor > 0),
    request_id    uuid        NOT NULL DEFAULT gen_random_uuid(),
    -- How often it was asked for. What was asked for before may have been made, though its answer was lost.
    tries         bigint      NOT NULL DEFAULT 1,
    -- Since when Stripe keeps an answer of failure for it, after which nobody knows what it did.
    broken_at     timestamptz,
    refund_id     text        UNIQUE,
    state         text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'succeeded', 'failed')),
    code          text,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT what_succeeded_has_its_refund CHECK (state <> 'succeeded' OR refund_id IS NOT NULL)
);
