-- How often a dead letter was given to its component once more, and came back.
ALTER TABLE dead_letters ADD COLUMN replays integer NOT NULL DEFAULT 0;

-- The same of dead letters on Kafka, whose topics keep them after they were taken. A topic that is made anew counts its messages
-- from 0 again, so a letter is known by its time as well.
CREATE TABLE replayed_letters (
    topic     text NOT NULL,
    partition integer NOT NULL,
    position  bigint NOT NULL,
    at        timestamptz NOT NULL,
    replays   integer NOT NULL DEFAULT 0,
    -- What the component said last, where it rejected it again.
    reason    text,
    taken_at  timestamptz,
    PRIMARY KEY (topic, partition, position, at)
);
