-- What customers would have been sent, and the events that were taken in.

CREATE TABLE notifications (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint      NOT NULL,
    order_id   bigint      NOT NULL,
    type       text        NOT NULL CHECK (type IN ('order_placed', 'order_paid', 'order_shipped', 'order_delivered', 'order_cancelled')),
    subject    text        NOT NULL,
    body       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- An order is placed, paid, shipped, delivered or cancelled once.
    UNIQUE (order_id, type)
);

CREATE INDEX notifications_by_time ON notifications (created_at DESC, id DESC);
CREATE INDEX notifications_by_user ON notifications (user_id, created_at DESC, id DESC);

CREATE TABLE inbox (
    event_id    text        PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX inbox_by_time ON inbox (received_at);
