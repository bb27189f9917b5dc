//! The catalogue.

use kit::{
    Failure,
    sql::{ParameterValue, moment},
};

use super::{DATABASE, Sql, columns, product};
use crate::domain::{
    catalogue::{Catalogue, CatalogueError, Filter},
    place::Place,
    product::{Change, NewProduct, Product, Sort},
};

impl Catalogue for Sql {
    async fn insert(&self, new: &NewProduct) -> Result<Product, Failure> {
        let statement = concat!(
            "with made as (
                 insert into products (name, description, category, price_minor, currency, on_hand)
                 values ($1, $2, $3, $4, $5, $6)
                 returning *
             ), noted as (
                 insert into movements (product_id, delta, reason)
                 select id, on_hand, 'first stock' from made where on_hand <> 0
             )
             select ",
            columns!("made"),
            " from made"
        );
        let params = vec![
            new.name.as_str().to_owned().into(),
            new.description.as_str().to_owned().into(),
            new.category.as_str().to_owned().into(),
            new.price.money().minor().into(),
            new.currency.as_str().to_owned().into(),
            new.stock.count().into(),
        ];
        Ok(product(&DATABASE.one(statement, params).await?)?)
    }

    async fn get(&self, id: i64) -> Result<Product, CatalogueError> {
        let statement = concat!("select ", columns!("products"), " from products where id = $1");
        let row = DATABASE.row(statement, vec![id.into()]).await.map_err(Failure::from)?;
        let row = row.ok_or(CatalogueError::NotFound)?;
        Ok(product(&row).map_err(Failure::from)?)
    }

    async fn list(&self, filter: &Filter, after: Option<Place>, limit: i64) -> Result<Vec<Product>, Failure> {
        let mut values = vec![
            filter.category.clone().into(),
            filter.min_price.map(|price| price.minor()).into(),
            filter.max_price.map(|price| price.minor()).into(),
            limit.into(),
        ];
        // Conditions of their own, not `$5 is null or …`, so that the indexes serve them.
        let mut conditions = String::new();
        if let Some(search) = &filter.search {
            conditions.push_str(FOUND);
            values.extend([search.text().to_owned().into(), search.is_open().into()]);
        }
        if let Some(place) = after {
            conditions.push_str(&behind(filter.sort, values.len()));
            values.extend(params(place));
        }
        let statement = list_statement(filter.sort, &conditions);
        let rows = DATABASE.rows(&statement, values).await?;
        Ok(rows.iter().map(product).collect::<Result<Vec<_>, _>>()?)
    }

    async fn change(&self, id: i64, change: &Change, expected: Option<i64>) -> Result<Product, CatalogueError> {
        let statement = concat!(
            "update products set
                 name = coalesce($2::text, name),
                 description = coalesce($3::text, description),
                 category = coalesce($4::text, category),
                 price_minor = coalesce($5::bigint, price_minor),
                 active = coalesce($6::boolean, active),
                 version = version + 1,
                 updated_at = now()
             where id = $1::bigint and ($7::bigint is null or version = $7::bigint)
             returning ",
            columns!("products")
        );
        let text = |text: Option<&str>| ParameterValue::from(text.map(str::to_owned));
        let params = vec![
            id.into(),
            text(change.name.as_ref().map(|name| name.as_str())),
            text(change.description.as_ref().map(|text| text.as_str())),
            text(change.category.as_ref().map(|name| name.as_str())),
            change.price.map(|price| price.money().minor()).into(),
            change.active.into(),
            expected.into(),
        ];
        let row = DATABASE.row(statement, params).await.map_err(Failure::from)?;
        match row {
            Some(row) => Ok(product(&row).map_err(Failure::from)?),
            // Nothing was changed: the product is not there, or it has another version.
            None => Err(self.get(id).await.err().unwrap_or(CatalogueError::Changed)),
        }
    }
}

/// $5 what is looked for, $6 whether its last word may go on; a query that does not end with a word is taken as it is.
/// Spelt out thrice and not read from a subquery, so that the planner knows the words, and with them whether it is better
/// off with the index or with the order of the list.
const FOUND: &str = "
and words @@ case
    when $6::boolean and websearch_to_tsquery('simple', $5::text)::text like '%'''
    then (websearch_to_tsquery('simple', $5::text)::text || ':*')::tsquery
    else websearch_to_tsquery('simple', $5::text) end
";

/// The column of an order, its direction, and what a value of a place is cast to.
fn key(sort: Sort) -> (&'static str, &'static str, &'static str) {
    match sort {
        Sort::Created => ("created_at", "asc", "timestamp at time zone 'UTC'"),
        Sort::CreatedDescending => ("created_at", "desc", "timestamp at time zone 'UTC'"),
        Sort::Price => ("price_minor", "asc", "bigint"),
        Sort::PriceDescending => ("price_minor", "desc", "bigint"),
        Sort::Name => ("name", "asc", "text"),
    }
}

/// The condition that products are behind a place, whose values come after so many others.
fn behind(sort: Sort, values: usize) -> String {
    let (key, direction, cast) = key(sort);
    let comparison = if direction == "asc" { ">" } else { "<" };
    let (first, second) = (values + 1, values + 2);
    format!("and (products.{key}, products.id) {comparison} (${first}::{cast}, ${second}::bigint)")
}

/// The statement of a list: the same text for the same order and conditions, so that the host prepares it once.
fn list_statement(sort: Sort, conditions: &str) -> String {
    let (key, direction, _) = key(sort);
    format!(
        "select {columns} from products
         where active
           and ($1::text is null or category = $1::text)
           and ($2::bigint is null or price_minor >= $2::bigint)
           and ($3::bigint is null or price_minor <= $3::bigint)
           {conditions}
         order by products.{key} {direction}, products.id {direction}
         limit $4::bigint",
        columns = columns!("products")
    )
}

/// The values that the statement compares with.
fn params(place: Place) -> [ParameterValue; 2] {
    match place {
        Place::Created(cursor) => [moment(cursor.created_at), cursor.id.into()],
        Place::Price(minor, id) => [minor.into(), id.into()],
        Place::Name(name, id) => [name.into(), id.into()],
    }
}
