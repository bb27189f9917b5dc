//! Products as they come in and go out.

use chrono::{DateTime, Utc};
use kit::{
    Currency, Faults, Input, Money,
    money::amount_format,
    text::{text, text_or_nothing},
};
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{
        Object, ObjectBuilder,
        schema::{SchemaType, Type},
    },
};

use crate::domain::{
    product::{Change, NewProduct, Product},
    stock::Pieces,
};

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product, examples(json!({
    "id": 3, "name": "Teapot", "description": "Holds one litre.", "category": "kitchen", "price": 19.99,
    "currency": "EUR", "stock": 10, "active": true, "createdAt": "2026-11-24T09:30:00.123456Z",
    "updatedAt": "2026-11-24T09:30:00.123456Z"
})))]
#[serde(rename_all = "camelCase")]
pub struct ProductBody {
    #[schema(minimum = 1)]
    id: i64,
    name: String,
    description: String,
    category: String,
    price: Money,
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: String,
    /// Pieces that can still be ordered.
    #[schema(minimum = 0)]
    stock: i64,
    /// False once it is archived.
    active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// A product to come into the catalogue.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewProduct, examples(json!({
    "name": "Teapot", "description": "Holds one litre.", "category": "kitchen", "price": 19.99, "currency": "EUR",
    "stock": 10
})))]
#[serde(deny_unknown_fields)]
pub struct NewProductBody {
    #[schema(required, schema_with = text::<1, 200>)]
    name: Option<String>,
    #[schema(schema_with = text_or_nothing::<0, 5000>)]
    description: Option<String>,
    #[schema(required, schema_with = text::<1, 50>)]
    category: Option<String>,
    #[schema(required, schema_with = price)]
    price: Option<Money>,
    /// The shop's currency; no other is taken.
    #[schema(pattern = "^[A-Z]{3}$")]
    currency: Option<String>,
    /// Pieces to begin with.
    #[schema(minimum = 0, maximum = 1_000_000)]
    stock: Option<i64>,
}

/// A change to a product; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(examples(json!({"price": 24.5})))]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    #[schema(schema_with = text_or_nothing::<1, 200>)]
    name: Option<String>,
    #[schema(schema_with = text_or_nothing::<0, 5000>)]
    description: Option<String>,
    #[schema(schema_with = text_or_nothing::<1, 50>)]
    category: Option<String>,
    #[schema(schema_with = price_or_nothing)]
    price: Option<Money>,
    active: Option<bool>,
}

impl NewProductBody {
    /// The sound product, priced in the shop's currency, or `None` after noting every fault.
    pub fn check(self, shop_currency: &Currency, faults: &mut Faults) -> Option<NewProduct> {
        let name = faults.parse("name", self.name, |text| text.parse());
        let description = self.description.unwrap_or_default();
        let description = faults.take("description", description.parse());
        let category = faults.parse("category", self.category, |text| text.parse());
        let price = faults.parse("price", self.price, TryInto::try_into);
        let named = self.currency.as_deref().unwrap_or(shop_currency.as_str());
        if named != shop_currency.as_str() {
            faults.add("currency", format!("must be {shop_currency}, the shop's currency"));
        }
        let stock = faults.parse_optional("stock", self.stock, Pieces::try_from);
        Some(NewProduct {
            name: name?,
            description: description?,
            category: category?,
            price: price?,
            currency: shop_currency.clone(),
            stock: stock.unwrap_or_default(),
        })
    }
}

impl Input for ProductChange {
    type Checked = Change;

    fn check(self, faults: &mut Faults) -> Option<Change> {
        Some(Change {
            name: faults.parse_optional("name", self.name, |text| text.parse()),
            description: faults.parse_optional("description", self.description, |text| text.parse()),
            category: faults.parse_optional("category", self.category, |text| text.parse()),
            price: faults.parse_optional("price", self.price, TryInto::try_into),
            active: self.active,
        })
    }
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        Self {
            id: product.id,
            name: product.name,
            description: product.description,
            category: product.category,
            price: product.price,
            currency: product.currency,
            stock: product.available,
            active: product.active,
            created_at: product.created_at,
            updated_at: product.updated_at,
        }
    }
}

/// The schema of a price that may be set.
fn price() -> Object {
    bounded_price(SchemaType::Type(Type::Number))
}

fn price_or_nothing() -> Object {
    bounded_price(SchemaType::Array(vec![Type::Number, Type::Null]))
}

fn bounded_price(kind: SchemaType) -> Object {
    ObjectBuilder::new()
        .schema_type(kind)
        .minimum(Some(0.01))
        .maximum(Some(10_000_000))
        .format(Some(amount_format()))
        .description(Some("An exact decimal amount with at most two decimals."))
        .build()
}
