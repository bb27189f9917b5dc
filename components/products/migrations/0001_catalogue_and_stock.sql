create table products (
    id bigint generated always as identity primary key,
    name text not null check (char_length(name) between 1 and 200),
    description text not null default '' check (char_length(description) <= 5000),
    category text not null check (char_length(category) between 1 and 50),
    price_minor bigint not null check (price_minor between 1 and 1000000000),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    -- Pieces in the house; always the sum of the product's movements.
    on_hand bigint not null default 0,
    -- Pieces of them that reservations hold.
    reserved bigint not null default 0,
    active boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint products_reserved_within_on_hand check (0 <= reserved and reserved <= on_hand),
    constraint products_on_hand_bounded check (on_hand <= 1000000000)
) with (fillfactor = 80);

create index products_in_order on products (created_at, id) where active;
create index products_by_price on products (price_minor, id) where active;
create index products_by_name on products (name, id) where active;
create index products_by_category on products (category, created_at, id) where active;

-- A right to pieces, under a name that its owner chose. An undone one stays, so that it can never be taken again.
create table reservations (
    id uuid primary key,
    status text not null check (status in ('held', 'lapsed', 'committed', 'undone')),
    expires_at timestamptz not null,
    settled_at timestamptz,
    created_at timestamptz not null default now()
);
create index reservations_due on reservations (expires_at) where status = 'held';

create table reservation_lines (
    reservation_id uuid not null references reservations on delete cascade,
    product_id bigint not null references products,
    quantity bigint not null check (quantity >= 1),
    -- As they were when the pieces were taken.
    name text not null,
    price_minor bigint not null,
    currency text not null,
    primary key (reservation_id, product_id)
);

-- The ledger: every change of on_hand, and why.
create table movements (
    id bigint generated always as identity primary key,
    product_id bigint not null references products,
    delta bigint not null check (delta <> 0),
    reason text not null check (char_length(reason) between 1 and 200),
    reservation_id uuid references reservations on delete set null,
    created_at timestamptz not null default now()
);
create index movements_of_product on movements (product_id, created_at, id);

-- Events that have had their effect.
create table inbox (
    event_id uuid primary key,
    received_at timestamptz not null default now()
);
create index inbox_by_age on inbox (received_at);
