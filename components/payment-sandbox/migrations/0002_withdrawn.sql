-- Keys that were given up. Nothing is charged under them any more, not even by a request that comes later: a key may be given
-- up before its charge was ever asked for, so such a row may know nothing else.

ALTER TABLE charges
    ALTER COLUMN payment_id DROP NOT NULL,
    ALTER COLUMN amount_minor DROP NOT NULL,
    ALTER COLUMN currency DROP NOT NULL,
    ALTER COLUMN token DROP NOT NULL,
    DROP CONSTRAINT charges_state_check,
    ADD CONSTRAINT charges_state_check
        CHECK (state IN ('succeeded', 'declined', 'action_required', 'failing', 'withdrawn')),
    ADD CONSTRAINT only_a_withdrawn_key_knows_nothing
        CHECK (state = 'withdrawn' OR num_nulls(payment_id, amount_minor, currency, token) = 0);
