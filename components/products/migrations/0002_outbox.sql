-- Events waiting for the host's relay, written in the statement that made them true.
create table outbox (
    id uuid primary key default gen_random_uuid(),
    seq bigint generated always as identity unique,
    topic text not null,
    key text not null,
    type text not null,
    data jsonb not null,
    traceparent text,
    created_at timestamptz not null default now(),
    published_at timestamptz
);
create index outbox_unpublished on outbox (seq) where published_at is null;
