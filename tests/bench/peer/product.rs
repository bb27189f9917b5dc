//! One product.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sqlx::Row;

use super::Peer;

/// A product by its number.
pub async fn read(State(peer): State<Peer>, Path(id): Path<i64>) -> Response {
    let query = "SELECT name, description, category, price_minor, currency, on_hand - reserved AS stock, version,
        created_at::text AS created_at FROM products WHERE id = $1";
    let Some(row) = sqlx::query(query).bind(id).fetch_optional(&peer.pool).await.expect("the query is sound") else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let product = json!({
        "id": id,
        "name": row.get::<String, _>("name"),
        "description": row.get::<String, _>("description"),
        "category": row.get::<String, _>("category"),
        "price": decimal(row.get("price_minor")),
        "currency": row.get::<String, _>("currency"),
        "stock": row.get::<i64, _>("stock"),
        "active": true,
        "createdAt": row.get::<String, _>("created_at"),
    });
    ([(header::ETAG, format!("\"{}\"", row.get::<i64, _>("version")))], axum::Json(product)).into_response()
}

/// Minor units as the decimal number that JSON shows.
pub fn decimal(minor: i64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", minor / 100, minor % 100)).expect("a number")
}
