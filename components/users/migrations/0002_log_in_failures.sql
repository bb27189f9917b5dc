-- How often somebody failed to log in, by account and by address; whoever failed too often waits longer each time.
create table log_in_failures (
    subject text primary key,
    failures bigint not null check (failures >= 0),
    -- Failures that cost no waiting.
    free bigint not null,
    failed_at timestamptz not null,
    -- Long ago while nothing is to be waited for: attempts made at once begin at slightly different times.
    blocked_until timestamptz not null
);
create index log_in_failures_by_age on log_in_failures (failed_at);
