//! Rows of the database, read as what they stand for.

use kit::Money;
use kit::sql::{Row, SqlError};

use crate::domain::attempt::{Attempt, AttemptState};
use crate::domain::payment::{Payment, Status};
use crate::domain::refund::{Refund, RefundState};
use crate::domain::token::Token;

/// The columns of a payment.
pub const PAYMENT: &str = "id, order_id, user_id, amount_minor, currency, status, provider, charge_id, attempts,
    declines, order_cancelled, refunding_minor, refunded_minor, version, created_at at time zone 'UTC' as created_at,
    updated_at at time zone 'UTC' as updated_at";

/// The columns of an attempt.
pub const ATTEMPT: &str = "payment_id, number, key, provider, token, state, result, action_url, traceparent";

/// The columns of a refund.
pub const REFUND: &str = "id, payment_id, key, amount_minor, reason, state, traceparent,
    created_at at time zone 'UTC' as created_at";

/// The payment in this row.
pub fn payment(row: &Row) -> Result<Payment, SqlError> {
    Ok(Payment {
        id: row.get("id")?,
        order_id: row.get("order_id")?,
        user_id: row.get("user_id")?,
        amount: money(row, "amount_minor")?,
        currency: row.get("currency")?,
        status: word(row, "status", Status::parse)?,
        provider: row.get("provider")?,
        charge_id: row.get("charge_id")?,
        attempts: row.get("attempts")?,
        declines: row.get("declines")?,
        order_cancelled: row.get("order_cancelled")?,
        refunding: money(row, "refunding_minor")?,
        refunded: money(row, "refunded_minor")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// The attempt in this row.
pub fn attempt(row: &Row) -> Result<Attempt, SqlError> {
    let token: Option<String> = row.get("token")?;
    Ok(Attempt {
        payment_id: row.get("payment_id")?,
        number: row.get("number")?,
        key: row.get("key")?,
        provider: row.get("provider")?,
        token: token.and_then(|text| Token::parse(&text).ok()),
        state: word(row, "state", AttemptState::parse)?,
        result: row.get("result")?,
        action_url: row.get("action_url")?,
        traceparent: row.get("traceparent")?,
    })
}

/// The refund in this row.
pub fn refund(row: &Row) -> Result<Refund, SqlError> {
    Ok(Refund {
        id: row.get("id")?,
        payment_id: row.get("payment_id")?,
        key: row.get("key")?,
        amount: money(row, "amount_minor")?,
        reason: row.get("reason")?,
        state: word(row, "state", RefundState::parse)?,
        traceparent: row.get("traceparent")?,
        created_at: row.get("created_at")?,
    })
}

fn money(row: &Row, column: &str) -> Result<Money, SqlError> {
    row.get(column).map(Money::from_minor)
}

fn word<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, SqlError> {
    let word: String = row.get(column)?;
    parse(&word).ok_or_else(|| SqlError::Failed(format!("column `{column}` holds `{word}`, which is unknown")))
}
