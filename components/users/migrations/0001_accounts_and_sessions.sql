create table users (
    id bigint generated always as identity primary key,
    name text not null check (char_length(name) between 2 and 50),
    email text not null check (char_length(email) between 3 and 254),
    password_hash text not null,
    active boolean not null default true,
    role text not null default 'customer' check (role in ('customer', 'admin')),
    version bigint not null default 1,
    -- Raised to end every session of the account at once, those included that are being opened just now.
    sessions_generation bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- Decides who has an address; nothing looks it up first.
create unique index users_email_unique on users (lower(email));
create index users_in_order on users (created_at, id);
create index users_admins on users (id) where role = 'admin';

-- A log-in and what follows from it, until it is ended or its time is over.
create table sessions (
    id uuid primary key,
    user_id bigint not null references users on delete cascade,
    -- The account's generation at log-in; with another one the session is over.
    generation bigint not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    created_at timestamptz not null default now()
);
create index sessions_of_user on sessions (user_id);
create index sessions_by_end on sessions (expires_at);

-- Each refresh token of a session, by its SHA-256. A used one stays, so that its second use is noticed.
create table refresh_tokens (
    hash bytea primary key check (octet_length(hash) = 32),
    session_id uuid not null references sessions on delete cascade,
    used_at timestamptz,
    created_at timestamptz not null default now()
);
create index refresh_tokens_of_session on refresh_tokens (session_id);
