//! Placing an order, in the shop's four steps: key, user, stock, order.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use sqlx::Row;

use super::{Peer, product::decimal};
use crate::token;

const KEY: &str = "INSERT INTO idempotency_keys (user_id, key, order_id, reservation_id)
    VALUES ($1, $2, nextval('order_number'), gen_random_uuid())
    ON CONFLICT DO NOTHING RETURNING order_id, reservation_id::text AS reservation_id";

const RESERVE: &str = "WITH locked AS (SELECT id FROM products WHERE id = ANY ($2::bigint[])
        AND on_hand - reserved >= ($3::bigint[])[array_position($2::bigint[], id)] ORDER BY id FOR UPDATE),
    taken AS (UPDATE products SET version = version + 1,
            reserved = reserved + ($3::bigint[])[array_position($2::bigint[], id)]
        WHERE id = ANY ($2::bigint[]) AND (SELECT count(*) FROM locked) = cardinality($2::bigint[])
        RETURNING id, ($3::bigint[])[array_position($2::bigint[], id)] AS quantity, name, price_minor),
    kept AS (INSERT INTO reservations SELECT $1::uuid, id, quantity, now() + interval '45 minutes' FROM taken)
    SELECT id, quantity, name, price_minor FROM taken ORDER BY id";

const INSERT: &str = "WITH placed AS (INSERT INTO orders (id, user_id, reservation_id, status, total_minor, currency)
        VALUES ($1, $2, $3::uuid, 'pending', $4, 'EUR')),
    lines AS (INSERT INTO order_lines SELECT $1, * FROM unnest($5::bigint[], $6::bigint[], $7::text[], $8::bigint[])),
    history AS (INSERT INTO order_history (order_id, version, status) VALUES ($1, 1, 'pending')),
    event AS (INSERT INTO outbox (topic, key, type, data) VALUES ('order-events', 'order-' || $1, 'ORDER_CREATED', $9))
    UPDATE idempotency_keys SET answer = $10 WHERE user_id = $2 AND key = $11";

/// What was asked for and what it costs.
#[derive(Default)]
struct Lines {
    products: Vec<i64>,
    quantities: Vec<i64>,
    names: Vec<String>,
    prices: Vec<i64>,
}

/// Places an order.
pub async fn place(State(peer): State<Peer>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(user) = bearer.and_then(|token| token::verify(&peer.key, token)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let (Some(key), Some(wanted)) = (header("idempotency-key"), read(&body)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match write(&peer, user, key, wanted).await {
        Ok(Some(order)) => (StatusCode::CREATED, Json(order)).into_response(),
        Ok(None) => StatusCode::CONFLICT.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn read(body: &Value) -> Option<Lines> {
    let mut lines = Lines::default();
    for item in body["items"].as_array()? {
        lines.products.push(item["productId"].as_i64()?);
        lines.quantities.push(item["quantity"].as_i64().filter(|quantity| (1..=1000).contains(quantity))?);
    }
    Some(lines)
}

async fn write(peer: &Peer, user: i64, key: &str, wanted: Lines) -> Result<Option<Value>, sqlx::Error> {
    let Some(fixed) = sqlx::query(KEY).bind(user).bind(key).fetch_optional(&peer.pool).await? else { return Ok(None) };
    let (id, reservation): (i64, String) = (fixed.get("order_id"), fixed.get("reservation_id"));
    let active = sqlx::query("SELECT active FROM users WHERE id = $1").bind(user).fetch_one(&peer.pool).await?;
    if !active.get::<bool, _>("active") {
        return Ok(None);
    }
    let rows = sqlx::query(RESERVE).bind(&reservation).bind(&wanted.products).bind(&wanted.quantities);
    let mut lines = Lines::default();
    for row in rows.fetch_all(&peer.pool).await? {
        lines.products.push(row.get("id"));
        lines.quantities.push(row.get("quantity"));
        lines.names.push(row.get("name"));
        lines.prices.push(row.get("price_minor"));
    }
    if lines.products.len() != wanted.products.len() {
        return Ok(None);
    }
    let total: i64 = lines.quantities.iter().zip(&lines.prices).map(|(quantity, price)| quantity * price).sum();
    let order = answer(id, user, total, &lines);
    sqlx::query(INSERT)
        .bind(id)
        .bind(user)
        .bind(&reservation)
        .bind(total)
        .bind(&lines.products)
        .bind(&lines.quantities)
        .bind(&lines.names)
        .bind(&lines.prices)
        .bind(json!({"type": "ORDER_CREATED", "data": order}))
        .bind(order.to_string())
        .bind(key)
        .execute(&peer.pool)
        .await?;
    Ok(Some(order))
}

fn answer(id: i64, user: i64, total: i64, lines: &Lines) -> Value {
    let items: Vec<Value> = (0..lines.products.len())
        .map(|line| {
            json!({
                "productId": lines.products[line], "name": lines.names[line],
                "quantity": lines.quantities[line], "price": decimal(lines.prices[line]),
            })
        })
        .collect();
    json!({"id": id, "userId": user, "items": items, "status": "pending", "totalAmount": decimal(total), "currency": "EUR"})
}
