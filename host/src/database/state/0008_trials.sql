-- What each host has seen of a version on trial, so that it is judged by what all of them saw.
CREATE TABLE trial_counts (
    application text NOT NULL,
    component   text NOT NULL,
    number      integer NOT NULL,
    host        text NOT NULL,
    -- What the active version and the one on trial did there since the trial began.
    active      jsonb NOT NULL,
    trial       jsonb NOT NULL,
    PRIMARY KEY (application, component, number, host)
);
