-- Which versions of an application's components there are, and which of them answer. Every host of the application
-- serves what stands here.

CREATE TABLE artifacts (
    hash       text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    bytes      bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Compressing code takes long and saves little.
ALTER TABLE artifacts ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE versions (
    application text NOT NULL,
    component   text NOT NULL,
    number      integer NOT NULL CHECK (number >= 1),
    hash        text NOT NULL REFERENCES artifacts,
    origin      text NOT NULL CHECK (origin IN ('manifest', 'deploy')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application, component, number)
);
CREATE INDEX versions_hash ON versions (hash);

-- Numbers are given once, also those of versions that are kept no more.
CREATE TABLE version_numbers (
    application text NOT NULL,
    component   text NOT NULL,
    last        integer NOT NULL CHECK (last >= 1),
    PRIMARY KEY (application, component)
);

CREATE TABLE standings (
    application      text NOT NULL,
    component        text NOT NULL,
    active           integer NOT NULL,
    trial            integer,
    trial_share      integer CHECK (trial_share BETWEEN 1 AND 10000),
    trial_seconds    integer CHECK (trial_seconds >= 1),
    drain_ms         bigint NOT NULL CHECK (drain_ms >= 0),
    revision         bigint NOT NULL DEFAULT 1,
    changed_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (application, component),
    FOREIGN KEY (application, component, active) REFERENCES versions,
    FOREIGN KEY (application, component, trial) REFERENCES versions,
    CHECK ((trial IS NULL) = (trial_share IS NULL) AND (trial IS NULL) = (trial_seconds IS NULL)),
    CHECK (trial <> active)
);

CREATE TABLE version_history (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    application text NOT NULL,
    component   text NOT NULL,
    number      integer NOT NULL,
    what        text NOT NULL CHECK (what IN ('active', 'trial', 'refused', 'rolled_back')),
    detail      text,
    at          timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX version_history_component ON version_history (application, component, id);
