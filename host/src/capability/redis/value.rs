//! What a server answers, in the interface's types.

use redis::Value;

use super::{
    bindings::{
        v2::fermyon::spin::redis as v2,
        v3::spin::redis::redis::{RedisParameter, RedisResult},
    },
    failure::Failure,
};

/// An answer as a flat list, in the order in which its parts came.
///
/// # Errors
/// What the server refused within it, and parts for which the interface has no type.
pub fn flat(value: Value) -> Result<Vec<RedisResult>, Failure> {
    let mut parts = Vec::new();
    append(&mut parts, value)?;
    Ok(parts)
}

/// The parser bounds how deep answers are nested.
fn append(parts: &mut Vec<RedisResult>, value: Value) -> Result<(), Failure> {
    parts.push(match value {
        Value::Array(values) => return values.into_iter().try_for_each(|value| append(parts, value)),
        Value::Nil => RedisResult::Nil,
        Value::Okay => RedisResult::Status("OK".to_owned()),
        Value::SimpleString(text) => RedisResult::Status(text),
        Value::Int(number) => RedisResult::Int64(number),
        Value::BulkString(bytes) => RedisResult::Binary(bytes),
        Value::ServerError(error) => return Err(Failure::from(&error)),
        _ => return Err(Failure::Other("Redis answered with a type that the interface does not have".to_owned())),
    });
    Ok(())
}

/// An answer that is a value, or nothing.
///
/// # Errors
/// [`Failure::WrongType`] for any other, such as that a command was queued.
pub fn payload(value: Value) -> Result<Option<Vec<u8>>, Failure> {
    match value {
        Value::Nil => Ok(None),
        Value::BulkString(bytes) => Ok(Some(bytes)),
        _ => Err(Failure::WrongType),
    }
}

/// An answer that is a number.
///
/// # Errors
/// As [`payload`].
pub fn number<N: TryFrom<i64>>(value: Value) -> Result<N, Failure> {
    match value {
        Value::Int(number) => N::try_from(number).map_err(|_| Failure::WrongType),
        _ => Err(Failure::WrongType),
    }
}

/// An answer that is a list of texts.
///
/// # Errors
/// As [`payload`]; a text that is no UTF-8 is of another type, too.
pub fn texts(value: Value) -> Result<Vec<String>, Failure> {
    let Value::Array(values) = value else { return Err(Failure::WrongType) };
    let text = |value| match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| Failure::WrongType),
        _ => Err(Failure::WrongType),
    };
    values.into_iter().map(text).collect()
}

impl From<v2::RedisParameter> for RedisParameter {
    fn from(parameter: v2::RedisParameter) -> Self {
        match parameter {
            v2::RedisParameter::Int64(number) => Self::Int64(number),
            v2::RedisParameter::Binary(bytes) => Self::Binary(bytes),
        }
    }
}

impl From<RedisResult> for v2::RedisResult {
    fn from(result: RedisResult) -> Self {
        match result {
            RedisResult::Nil => Self::Nil,
            RedisResult::Status(text) => Self::Status(text),
            RedisResult::Int64(number) => Self::Int64(number),
            RedisResult::Binary(bytes) => Self::Binary(bytes),
        }
    }
}
