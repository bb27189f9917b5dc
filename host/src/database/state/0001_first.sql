-- What the host keeps for itself. Several hosts share it through one server.

CREATE TABLE component_databases (
    name       text PRIMARY KEY,
    password   text NOT NULL CHECK (length(password) >= 20),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE generated_values (
    name       text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('password', 'token', 'ed25519')),
    value      text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, kind)
);

CREATE TABLE dead_letters (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text NOT NULL,
    component text NOT NULL,
    event_id  uuid NOT NULL,
    event     jsonb NOT NULL,
    reason    text NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    UNIQUE (component, topic, event_id)
);
