//! `/api/v1/products`.

use axum::{Json, response::IntoResponse};
use http::{HeaderValue, StatusCode, header};
use kit::{
    ActingAdmin, Caller, Currency, Faults, Id, Input, Listing, Page, Problem, Unchecked, Valid,
    etag::{self, IfMatch, IfMatchHeader},
    input::{IdPath, ListInput},
    money::amount_format,
    page::PageQuery,
    settings,
    text::Text,
};
use serde::Deserialize;
use serde_json::json;
use utoipa::{
    IntoParams,
    openapi::{Object, ObjectBuilder, schema::Type},
};

use super::body::{NewProductBody, ProductBody, ProductChange};
use crate::{
    domain::{
        catalogue::{Catalogue, CatalogueError, Filter},
        place::Place,
        product::{Category, Change, Product, Sort},
        search::Search,
    },
    outbound::{Users, sql::Sql},
};

/// What is searched for.
type Words = Text<0, 100>;

/// Which products to list. Empty words and an empty category are as if they were not given.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FilterQuery {
    /// Words in name, description or category: all of them, `"in a row"`, `or` one another, `-not`. The last one may be the
    /// beginning of a longer one.
    #[param(max_length = 100, example = "teapot")]
    q: Option<String>,
    /// One category.
    #[param(max_length = 50)]
    category: Option<String>,
    #[param(schema_with = lowest)]
    min_price: Option<String>,
    #[param(schema_with = highest)]
    max_price: Option<String>,
    #[param(schema_with = sort)]
    sort: Option<String>,
}

impl Input for FilterQuery {
    type Checked = Filter;

    fn check(self, faults: &mut Faults) -> Option<Filter> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let text = faults.parse_optional("q", given(self.q), |text| text.parse::<Words>());
        let category = faults.parse_optional("category", given(self.category), |text| text.parse::<Category>());
        let sort = faults.parse_optional("sort", self.sort, |name| name.parse());
        Some(Filter {
            search: text.and_then(Search::new),
            category: category.map(String::from),
            min_price: faults.parse_optional("minPrice", self.min_price, |text| text.parse()),
            max_price: faults.parse_optional("maxPrice", self.max_price, |text| text.parse()),
            sort: sort.unwrap_or_default(),
        })
    }
}

impl ListInput for FilterQuery {
    type Place = Place;

    fn place(filter: &Filter, cursor: &str) -> Option<Place> {
        Place::decode(filter.sort, cursor)
    }
}

/// List the products
///
/// Those on offer; archived ones are left out.
#[utoipa::path(
    get, path = "/api/v1/products", tag = "products", operation_id = "listProducts",
    params(FilterQuery, PageQuery),
    responses((
        status = 200, description = "A page of products.", body = [ProductBody], headers(("Link" = String)),
        links(
            ("getProduct" = (operation_id = "getProduct", parameters(("id" = json!("$response.body#/0/id"))))),
            ("placeOrder" = (
                operation_id = "placeOrder",
                request_body = json!({"items": [{"productId": "$response.body#/0/id", "quantity": 1}]})
            ))
        )
    ))
)]
pub async fn list(Listing(filter, paging): Listing<FilterQuery>) -> Result<Page<ProductBody>, Problem> {
    let sort = filter.sort;
    let products = Sql.list(&filter, paging.after.clone(), paging.fetch()).await?;
    let page = paging.page(products, |product| Place::of(sort, product).encode(sort));
    Ok(page.map(ProductBody::from))
}

/// Put a product into the catalogue
///
/// With its first pieces. For administrators.
#[utoipa::path(
    post, path = "/api/v1/products", tag = "products", operation_id = "createProduct",
    security(("bearer" = ["admin"])), request_body = NewProductBody,
    responses((
        status = 201, description = "The product.", body = ProductBody,
        headers(("Location" = String), ("ETag" = String)),
        links(
            ("getProduct" = (operation_id = "getProduct", parameters(("id" = json!("$response.body#/id"))))),
            ("changeProduct" = (
                operation_id = "changeProduct",
                parameters(("id" = json!("$response.body#/id")), ("If-Match" = json!("$response.header.ETag")))
            )),
            ("archiveProduct" = (operation_id = "archiveProduct", parameters(("id" = json!("$response.body#/id"))))),
            ("adjustStock" = (operation_id = "adjustStock", parameters(("id" = json!("$response.body#/id"))))),
            ("listMovements" = (operation_id = "listMovements", parameters(("id" = json!("$response.body#/id"))))),
            ("placeOrder" = (
                operation_id = "placeOrder",
                request_body = json!({"items": [{"productId": "$response.body#/id", "quantity": 1}]})
            ))
        )
    ))
)]
pub async fn create(_admin: ActingAdmin<Users>, body: Unchecked<NewProductBody>) -> Result<impl IntoResponse, Problem> {
    let currency = shop_currency().await?;
    let new = body.check(|body, faults| body.check(&currency, faults))?;
    let product = Sql.insert(&new).await?;
    let location = format!("/api/v1/products/{}", product.id);
    let location = HeaderValue::from_str(&location).map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer(product)))
}

/// Read a product
///
/// An archived one is shown to administrators only. The ETag names the version of what administrators change; `stock`
/// moves with every order and leaves it as it is.
#[utoipa::path(
    get, path = "/api/v1/products/{id}", tag = "products", operation_id = "getProduct",
    security((), ("bearer" = [])), params(IdPath),
    responses((
        status = 200, description = "The product.", body = ProductBody, headers(("ETag" = String)),
        links(
            ("changeProduct" = (
                operation_id = "changeProduct",
                parameters(("id" = json!("$response.body#/id")), ("If-Match" = json!("$response.header.ETag")))
            )),
            ("placeOrder" = (
                operation_id = "placeOrder",
                request_body = json!({"items": [{"productId": "$response.body#/id", "quantity": 1}]})
            ))
        )
    ))
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
///
/// Orders keep the name and the price that it had. For administrators.
/// With `If-Match`, only if nobody else has changed it meanwhile: 412. Without it, whatever the version is.
#[utoipa::path(
    patch, path = "/api/v1/products/{id}", tag = "products", operation_id = "changeProduct",
    security(("bearer" = ["admin"])),
    params(IdPath, IfMatchHeader),
    request_body = ProductChange,
    responses((status = 200, description = "The product, changed.", body = ProductBody, headers(("ETag" = String))))
)]
pub async fn change(
    _admin: ActingAdmin<Users>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
    Valid(change): Valid<ProductChange>,
) -> Result<impl IntoResponse, Problem> {
    Ok(answer(Sql.change(id, &change, expected).await?))
}

/// Archive a product
///
/// It leaves the catalogue; orders that have it keep it, and administrators still see it. For administrators.
#[utoipa::path(
    delete, path = "/api/v1/products/{id}", tag = "products", operation_id = "archiveProduct",
    security(("bearer" = ["admin"])),
    params(IdPath, IfMatchHeader),
    responses((status = 204, description = "It is archived."))
)]
pub async fn archive(
    _admin: ActingAdmin<Users>,
    Id(id): Id,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
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

fn lowest() -> Object {
    amount("The lowest price.")
}

fn highest() -> Object {
    amount("The highest price.")
}

/// The schema of an amount in a query.
fn amount(meaning: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::Number).format(Some(amount_format())).description(Some(meaning)).build()
}

fn sort() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(Sort::ALL.map(Sort::as_str)))
        .default(Some(Sort::default().as_str().into()))
        .description(Some("The order of the list; `-` turns it around."))
        .build()
}

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        match error {
            CatalogueError::NotFound => Problem::not_found("There is no such product."),
            CatalogueError::Changed => Problem::precondition_failed(),
            CatalogueError::Store(failure) => failure.into(),
        }
    }
}
