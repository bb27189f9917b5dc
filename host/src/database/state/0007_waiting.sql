-- Events that a subscriber of the bus in the process did not take for some seconds. They wait for it here, so that their outbox goes on
-- with what others are to hear.
CREATE TABLE waiting_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- What tells them apart: the outbox they come from, who is to take them, where they were published.
    source      text NOT NULL,
    component   text NOT NULL,
    topic       text NOT NULL,
    event_id    uuid NOT NULL,
    -- The rest of an event.
    key         text NOT NULL,
    kind        text NOT NULL,
    time        text NOT NULL,
    traceparent text,
    value       text NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (source, component, topic, event_id)
);

CREATE INDEX waiting_events_in_turn ON waiting_events (source, component, topic, id);
-- A key may be of any length.
CREATE INDEX waiting_events_by_key ON waiting_events USING hash (key);
