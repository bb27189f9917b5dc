-- What a search looks at. The configuration is `simple`: nobody says in which language products are named, so no word is cut back to a
-- stem, and none is too frequent to be looked for.
alter table products add column words tsvector not null generated always as (
    setweight(to_tsvector('simple', name), 'A')
        || setweight(to_tsvector('simple', description), 'B')
        || setweight(to_tsvector('simple', category), 'C')
) stored;

create index products_by_words on products using gin (words) where active;
