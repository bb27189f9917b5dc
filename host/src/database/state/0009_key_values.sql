-- Key-value stores that the hosts of one application share.
CREATE TABLE key_values (
    application text NOT NULL,
    store       text NOT NULL,
    -- In the order of its bytes, as in a file.
    key         text COLLATE "C" NOT NULL,
    value       bytea NOT NULL,
    PRIMARY KEY (application, store, key)
);
