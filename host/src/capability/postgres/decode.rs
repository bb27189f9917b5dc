//! Values from the server, in the binary format, as the interface's values.
//!
//! As in Spin, `timestamp` and `timestamptz` both arrive as `datetime`, the latter in UTC. Beyond Spin, names, enums
//! and `citext` arrive as `str`, `json` as `jsonb`, and decimals keep every digit. What the interface cannot say
//! (`infinity`, arrays of several dimensions, other types) arrives as `unsupported` with the server's bytes.

use super::calendar::{date_from_days, datetime_from_micros, time_from_micros};
use super::composite::{decimal_text, read_array, read_range};
use super::value::{Bytes, Kind, Shape};
use super::{DbValue, Interval};

/// Reads one value; none means NULL. Bytes that do not fit their type come back as `unsupported`.
pub fn value(shape: Shape, bytes: Option<&[u8]>) -> DbValue {
    let Some(bytes) = bytes else {
        return DbValue::DbNull;
    };
    let read = match shape {
        Shape::Scalar(kind) => scalar(kind, bytes),
        Shape::Array(kind, _) => array(kind, bytes),
    };
    read.unwrap_or_else(|| DbValue::Unsupported(bytes.to_vec()))
}

fn scalar(kind: Kind, bytes: &[u8]) -> Option<DbValue> {
    Some(match kind {
        Kind::Bool => DbValue::Boolean(bytes.first().is_some_and(|byte| *byte != 0)),
        Kind::Int2 => DbValue::Int16(i16::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Int4 => DbValue::Int32(int4(bytes)?),
        Kind::Int8 => DbValue::Int64(int8(bytes)?),
        Kind::Float4 => DbValue::Floating32(f32::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Float8 => DbValue::Floating64(f64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Numeric => DbValue::Decimal(decimal_text(bytes)?),
        Kind::Text => DbValue::Str(text(bytes)?),
        Kind::Bytea => DbValue::Binary(bytes.to_vec()),
        Kind::Date => DbValue::Date(date_from_days(int4(bytes)?)?),
        Kind::Time => DbValue::Time(time_from_micros(int8(bytes)?)?),
        Kind::Timestamp | Kind::TimestampTz => DbValue::Datetime(datetime_from_micros(int8(bytes)?)?),
        Kind::Uuid => DbValue::Uuid(uuid::Uuid::from_slice(bytes).ok()?.to_string()),
        Kind::Json => DbValue::Jsonb(bytes.to_vec()),
        Kind::Jsonb => DbValue::Jsonb(bytes.strip_prefix(&[1])?.to_vec()),
        Kind::Interval => DbValue::Interval(interval(bytes)?),
        Kind::RangeInt4 => DbValue::RangeInt32(read_range(bytes, || 0, int4)?),
        Kind::RangeInt8 => DbValue::RangeInt64(read_range(bytes, || 0, int8)?),
        Kind::RangeNumeric => DbValue::RangeDecimal(read_range(bytes, || "0".to_owned(), decimal_text)?),
        Kind::Char | Kind::Oid | Kind::Other => return None,
    })
}

fn array(kind: Kind, bytes: &[u8]) -> Option<DbValue> {
    Some(match kind {
        Kind::Int4 => DbValue::ArrayInt32(read_array(bytes, int4)?),
        Kind::Int8 => DbValue::ArrayInt64(read_array(bytes, int8)?),
        Kind::Numeric => DbValue::ArrayDecimal(read_array(bytes, decimal_text)?),
        Kind::Text => DbValue::ArrayStr(read_array(bytes, text)?),
        _ => return None,
    })
}

fn int4(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

fn int8(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn interval(bytes: &[u8]) -> Option<Interval> {
    let mut bytes = Bytes(bytes);
    let micros = i64::from_be_bytes(bytes.array()?);
    let (days, months) = (bytes.i32()?, bytes.i32()?);
    Some(Interval { micros, days, months })
}
