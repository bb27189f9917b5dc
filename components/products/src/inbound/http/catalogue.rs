//! `/api/v1/products`.

use axum::{Json, response::IntoResponse};
use chrono::{DateTime, Utc};
use http::{HeaderValue, StatusCode, header};
use kit::{
    Admin, Caller, Currency, Faults, Id, Input, Money, Page, Paging, Problem, Query, Unchecked, Valid,
    etag::{self, IfMatch},
    openapi::Problems,
    page::unknown_cursor,
    settings,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    domain::{
        catalogue::{Catalogue, CatalogueError, Filter},
        product::{Change, NewProduct, Product},
        stock::Pieces,
    },
    outbound::sql::Sql,
};

/// Longest search that is taken.
const SEARCH_MAX_CHARS: usize = 100;

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
#[serde(rename_all = "camelCase")]
pub struct ProductBody {
    #[schema(minimum = 1)]
    id: i64,
    name: String,
    description: String,
    category: String,
    price: Money,
    #[schema(example = "EUR")]
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
#[schema(as = NewProduct)]
#[serde(deny_unknown_fields)]
pub struct NewProductBody {
    #[schema(required, value_type = String, min_length = 1, max_length = 200, example = "Lamp")]
    name: Option<String>,
    #[schema(max_length = 5000)]
    description: Option<String>,
    #[schema(required, value_type = String, min_length = 1, max_length = 50, example = "home")]
    category: Option<String>,
    #[schema(required, value_type = Money, example = 19.99)]
    price: Option<Money>,
    /// The shop's currency; no other is taken.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Pieces to begin with.
    #[schema(minimum = 0, maximum = 1_000_000)]
    stock: Option<i64>,
}

/// A change to a product; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductChange {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(max_length = 5000)]
    description: Option<String>,
    #[schema(min_length = 1, max_length = 50)]
    category: Option<String>,
    price: Option<Money>,
    active: Option<bool>,
}

/// Which products to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FilterQuery {
    /// Words in name or description.
    q: Option<String>,
    /// One category.
    category: Option<String>,
    /// The lowest price.
    #[param(value_type = Option<Money>)]
    min_price: Option<String>,
    /// The highest price.
    #[param(value_type = Option<Money>)]
    max_price: Option<String>,
    /// `created`, `-created`, `price`, `-price` or `name`.
    sort: Option<String>,
}

impl NewProductBody {
    /// The sound product, priced in the shop's currency, or `None` after noting every fault.
    fn check(self, shop_currency: &Currency, faults: &mut Faults) -> Option<NewProduct> {
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

impl Input for FilterQuery {
    type Checked = Filter;

    fn check(self, faults: &mut Faults) -> Option<Filter> {
        let sort = faults.parse_optional("sort", self.sort, |name| name.parse());
        Some(Filter {
            text: faults.parse_optional("q", self.q.filter(|text| !text.is_empty()), searched),
            category: self.category,
            min_price: faults.parse_optional("minPrice", self.min_price, |text| text.parse()),
            max_price: faults.parse_optional("maxPrice", self.max_price, |text| text.parse()),
            sort: sort.unwrap_or_default(),
        })
    }
}

/// List the products
///
/// Those on offer; archived ones are left out.
#[utoipa::path(
    get, path = "/api/v1/products", tag = "products", operation_id = "listProducts",
    params(
        FilterQuery,
        ("limit" = Option<i64>, Query, description = "1 to 100, else 20"),
        ("cursor" = Option<String>, Query, description = "Out of the Link header of the page before")
    ),
    responses((status = 200, body = [ProductBody], headers(("Link" = String))), Problems)
)]
pub async fn list(Query(filter): Query<FilterQuery>, paging: Paging) -> Result<Page<ProductBody>, Problem> {
    let cursor = paging.cursor.as_deref();
    let listed = Sql.list(&filter, cursor, paging.fetch()).await?;
    let page = paging.page(listed, |listed| listed.cursor.clone());
    Ok(page.map(|listed| ProductBody::from(listed.product)))
}

/// Put a product into the catalogue
#[utoipa::path(
    post, path = "/api/v1/products", tag = "products", operation_id = "createProduct",
    security(("bearer" = [])), request_body = NewProductBody,
    responses(
        (status = 201, body = ProductBody, headers(("Location" = String), ("ETag" = String))),
        Problems
    )
)]
pub async fn create(_admin: Admin, body: Unchecked<NewProductBody>) -> Result<impl IntoResponse, Problem> {
    let currency = shop_currency().await?;
    let new = body.check(|body, faults| body.check(&currency, faults))?;
    let product = Sql.insert(&new).await?;
    let location = format!("/api/v1/products/{}", product.id);
    let location = HeaderValue::from_str(&location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(product)))
}

/// Read a product
///
/// An archived one is shown to administrators only.
#[utoipa::path(
    get, path = "/api/v1/products/{id}", tag = "products", operation_id = "getProduct",
    params(("id" = i64, Path)),
    responses((status = 200, body = ProductBody, headers(("ETag" = String))), Problems)
)]
pub async fn get(caller: Option<Caller>, Id(id): Id) -> Result<impl IntoResponse, Problem> {
    let product = Sql.get(id).await?;
    let is_admin = caller.is_some_and(|caller| caller.is_admin());
    if !product.active && !is_admin {
        return Err(CatalogueError::NotFound.into());
    }
    Ok(answer(product))
}

/// Change a product
#[utoipa::path(
    patch, path = "/api/v1/products/{id}", tag = "products", operation_id = "changeProduct",
    security(("bearer" = [])),
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of what you read")
    ),
    request_body = ProductChange,
    responses((status = 200, body = ProductBody, headers(("ETag" = String))), Problems)
)]
pub async fn change(
    _admin: Admin,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Valid(change): Valid<ProductChange>,
) -> Result<impl IntoResponse, Problem> {
    Ok(answer(Sql.change(id, &change, expected).await?))
}

/// Archive a product
///
/// It leaves the catalogue; orders that have it keep it.
#[utoipa::path(
    delete, path = "/api/v1/products/{id}", tag = "products", operation_id = "archiveProduct",
    security(("bearer" = [])),
    params(
        ("id" = i64, Path),
        ("If-Match" = Option<String>, Header, description = "The ETag of what you read")
    ),
    responses((status = 204), Problems)
)]
pub async fn archive(_admin: Admin, Id(id): Id, IfMatch(expected): IfMatch) -> Result<StatusCode, Problem> {
    let archived = Change { active: Some(false), ..Change::default() };
    Sql.change(id, &archived, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer that shows a product.
pub(super) fn answer(product: Product) -> impl IntoResponse {
    let tag = etag::of(product.version);
    ([(header::ETAG, tag)], Json(ProductBody::from(product)))
}

/// The shop's one currency.
async fn shop_currency() -> Result<Currency, Problem> {
    let code = settings::get_or("currency", "EUR").await;
    code.parse().map_err(|error| {
        eprintln!("error: variable currency {error}");
        Problem::internal()
    })
}

fn searched(text: String) -> Result<String, String> {
    let sound = text.chars().count() <= SEARCH_MAX_CHARS && !text.contains('\0');
    match sound {
        true => Ok(text),
        false => Err(format!("must have at most {SEARCH_MAX_CHARS} characters")),
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

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::NotFound => Problem::not_found("There is no such product."),
            CatalogueError::Changed => Problem::precondition_failed(),
            CatalogueError::UnknownCursor => unknown_cursor(),
            CatalogueError::Store(failure) => failure.into(),
        }
    }
}
