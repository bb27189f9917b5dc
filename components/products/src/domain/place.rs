//! Where a page of the catalogue begins.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kit::page::Cursor;

use super::product::{Name, Product, Sort};

/// A place in a list in one of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Behind the product that came at this moment.
    Created(Cursor),
    /// Behind the product of this price, in minor units, with this number.
    Price(i64, i64),
    /// Behind the product of this name, with this number.
    Name(String, i64),
}

impl Place {
    /// The place of a product in this order.
    pub fn of(sort: Sort, product: &Product) -> Self {
        let id = product.id;
        match sort {
            Sort::Created | Sort::CreatedDescending => Place::Created(Cursor { created_at: product.created_at, id }),
            Sort::Price | Sort::PriceDescending => Place::Price(product.price.minor(), id),
            Sort::Name => Place::Name(product.name.clone(), id),
        }
    }

    /// The place as clients see it. The order's name comes first, so that a cursor of one order is not taken for one of another.
    pub fn encode(self, sort: Sort) -> String {
        let (id, key) = match self {
            Place::Created(cursor) => return cursor.encode(),
            Place::Price(minor, id) => (id, minor.to_string()),
            Place::Name(name, id) => (id, name),
        };
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{id}:{key}", sort.as_str()))
    }

    /// Reads what [`Place::encode`] wrote for this order; `None` for anything else.
    pub fn decode(sort: Sort, text: &str) -> Option<Self> {
        if matches!(sort, Sort::Created | Sort::CreatedDescending) {
            return Cursor::decode(text).map(Place::Created);
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let rest = text.strip_prefix(sort.as_str())?.strip_prefix(':')?;
        let (id, key) = rest.split_once(':')?;
        let id = id.parse().ok()?;
        match sort {
            // What no name can be is no name's place.
            Sort::Name => Some(Place::Name(key.parse::<Name>().ok()?.as_str().to_owned(), id)),
            _ => Some(Place::Price(key.parse().ok()?, id)),
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
        assert_eq!(Place::decode(Sort::Name, &BASE64_URL_SAFE_NO_PAD.encode("name:3:a\u{0}")), None);
        let named = Place::Name("a:b".to_owned(), 3);
        let text = named.clone().encode(Sort::Name);
        assert_eq!(Place::decode(Sort::Name, &text), Some(named));
    }
}
