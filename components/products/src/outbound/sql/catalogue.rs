//! The catalogue.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kit::{
    Failure,
    page::Cursor,
    sql::{ParameterValue, moment},
};

use super::{DATABASE, Sql, columns, product};
use crate::domain::{
    catalogue::{Catalogue, CatalogueError, Filter, Listed},
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

    async fn list(&self, filter: &Filter, cursor: Option<&str>, limit: i64) -> Result<Vec<Listed>, CatalogueError> {
        let place = match cursor {
            Some(text) => Some(Place::decode(filter.sort, text).ok_or(CatalogueError::UnknownCursor)?),
            None => None,
        };
        let mut params = vec![
            filter.text.as_deref().map(contains).into(),
            filter.category.clone().into(),
            filter.min_price.map(|price| price.minor()).into(),
            filter.max_price.map(|price| price.minor()).into(),
            limit.into(),
        ];
        let statement = list_statement(filter.sort, place.is_some());
        params.extend(place.into_iter().flat_map(Place::params));
        let rows = DATABASE.rows(&statement, params).await.map_err(Failure::from)?;
        let products = rows.iter().map(product).collect::<Result<Vec<_>, _>>();
        let products = products.map_err(Failure::from)?;
        Ok(products
            .into_iter()
            .map(|product| Listed { cursor: Place::of(filter.sort, &product).encode(filter.sort), product })
            .collect())
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

/// The statement of a list: the same text for the same order, so that the host prepares it once.
fn list_statement(sort: Sort, with_place: bool) -> String {
    let (key, direction, comparison, cast) = match sort {
        Sort::Created => ("created_at", "asc", ">", "$6::timestamp at time zone 'UTC'"),
        Sort::CreatedDescending => ("created_at", "desc", "<", "$6::timestamp at time zone 'UTC'"),
        Sort::Price => ("price_minor", "asc", ">", "$6::bigint"),
        Sort::PriceDescending => ("price_minor", "desc", "<", "$6::bigint"),
        Sort::Name => ("name", "asc", ">", "$6::text"),
    };
    let place = match with_place {
        true => format!("and (products.{key}, products.id) {comparison} ({cast}, $7::bigint)"),
        false => String::new(),
    };
    format!(
        "select {columns} from products
         where active
           and ($1::text is null or name ilike $1::text or description ilike $1::text)
           and ($2::text is null or category = $2::text)
           and ($3::bigint is null or price_minor >= $3::bigint)
           and ($4::bigint is null or price_minor <= $4::bigint)
           {place}
         order by products.{key} {direction}, products.id {direction}
         limit $5::bigint",
        columns = columns!("products")
    )
}

/// A pattern for texts that contain these words as they stand.
fn contains(words: &str) -> String {
    let escaped = words.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// A place in a list in one of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Created(Cursor),
    Price(i64, i64),
    Name(String, i64),
}

impl Place {
    fn of(sort: Sort, product: &Product) -> Self {
        let id = product.id;
        match sort {
            Sort::Created | Sort::CreatedDescending => Place::Created(Cursor { created_at: product.created_at, id }),
            Sort::Price | Sort::PriceDescending => Place::Price(product.price.minor(), id),
            Sort::Name => Place::Name(product.name.clone(), id),
        }
    }

    /// The order's name comes first, so that a cursor of one order is not taken for one of another.
    fn encode(self, sort: Sort) -> String {
        let (id, key) = match self {
            Place::Created(cursor) => return cursor.encode(),
            Place::Price(minor, id) => (id, minor.to_string()),
            Place::Name(name, id) => (id, name),
        };
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{id}:{key}", sort.as_str()))
    }

    fn decode(sort: Sort, text: &str) -> Option<Self> {
        if matches!(sort, Sort::Created | Sort::CreatedDescending) {
            return Cursor::decode(text).map(Place::Created);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let rest = text.strip_prefix(sort.as_str())?.strip_prefix(':')?;
        let (id, key) = rest.split_once(':')?;
        let id = id.parse().ok()?;
        match sort {
            Sort::Name => Some(Place::Name(key.to_owned(), id)),
            _ => Some(Place::Price(key.parse().ok()?, id)),
        }
    }

    fn params(self) -> [ParameterValue; 2] {
        match self {
            Place::Created(cursor) => [moment(cursor.created_at), cursor.id.into()],
            Place::Price(minor, id) => [minor.into(), id.into()],
            Place::Name(name, id) => [name.into(), id.into()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_order() {
        let place = Place::Price(1999, 7);
        let text = place.clone().encode(Sort::Price);
        assert_eq!(Place::decode(Sort::Price, &text), Some(place));
        for other in [Sort::PriceDescending, Sort::Name, Sort::Created] {
            assert_eq!(Place::decode(other, &text), None);
        }
        let named = Place::Name("a:b".to_owned(), 3);
        let text = named.clone().encode(Sort::Name);
        assert_eq!(Place::decode(Sort::Name, &text), Some(named));
    }

    #[test]
    fn wildcards_in_a_search_are_taken_literally() {
        assert_eq!(contains("50%_\\"), "%50\\%\\_\\\\%");
    }
}
