//! A guest's parameters in the server's types.
//!
//! The server says which type each parameter has; a value is written in that type's binary format where it fits. Text
//! that has no quick way into its type (`'15 minutes'` for an interval, an `inet` …) is turned by the server itself,
//! which costs a round trip and gives the server's own error where the text is wrong.

use super::ParameterValue;
use super::calendar::{
    days_from_date, micros_from_datetime, micros_from_rfc3339, micros_from_time, micros_from_unix_seconds,
};
use super::composite::{write_array, write_decimal, write_range};
use super::value::{Kind, Shape};
use std::str::FromStr;

/// How a parameter was written.
#[derive(Debug, PartialEq, Eq)]
pub enum Written {
    /// Its bytes are in the buffer.
    Value,
    /// It is NULL.
    Null,
    /// The server has to make it from this text.
    FromText(String),
    /// The server has to make it from these texts.
    FromTexts(Vec<Option<String>>),
    /// It does not fit its type.
    Mismatch,
}

/// Writes `parameter` in the type `shape`. The buffer is left as it was unless the answer is [`Written::Value`].
pub fn write(parameter: &ParameterValue, shape: Shape, buffer: &mut Vec<u8>) -> Written {
    if matches!(parameter, ParameterValue::DbNull) {
        return Written::Null;
    }
    let start = buffer.len();
    let written = match shape {
        Shape::Scalar(kind) => scalar(parameter, kind, buffer),
        Shape::Array(kind, oid) => array(parameter, kind, oid, buffer),
    };
    if written.is_some() {
        return Written::Value;
    }
    buffer.truncate(start);
    match parameter {
        ParameterValue::Str(text) | ParameterValue::Uuid(text) | ParameterValue::Decimal(text) => {
            Written::FromText(text.clone())
        }
        ParameterValue::ArrayStr(texts) | ParameterValue::ArrayDecimal(texts) if matches!(shape, Shape::Array(..)) => {
            Written::FromTexts(texts.clone())
        }
        _ => Written::Mismatch,
    }
}

/// What a parameter is called in an error.
pub fn name(parameter: &ParameterValue) -> &'static str {
    match parameter {
        ParameterValue::Boolean(_) => "boolean",
        ParameterValue::Int8(_) => "int8",
        ParameterValue::Int16(_) => "int16",
        ParameterValue::Int32(_) => "int32",
        ParameterValue::Int64(_) => "int64",
        ParameterValue::Floating32(_) => "floating32",
        ParameterValue::Floating64(_) => "floating64",
        ParameterValue::Str(_) => "str",
        ParameterValue::Binary(_) => "binary",
        ParameterValue::Date(_) => "date",
        ParameterValue::Time(_) => "time",
        ParameterValue::Datetime(_) => "datetime",
        ParameterValue::Timestamp(_) => "timestamp",
        ParameterValue::Uuid(_) => "uuid",
        ParameterValue::Jsonb(_) => "jsonb",
        ParameterValue::Decimal(_) => "decimal",
        ParameterValue::RangeInt32(_) => "range-int32",
        ParameterValue::RangeInt64(_) => "range-int64",
        ParameterValue::RangeDecimal(_) => "range-decimal",
        ParameterValue::ArrayInt32(_) => "array-int32",
        ParameterValue::ArrayInt64(_) => "array-int64",
        ParameterValue::ArrayDecimal(_) => "array-decimal",
        ParameterValue::ArrayStr(_) => "array-str",
        ParameterValue::Interval(_) => "interval",
        ParameterValue::DbNull => "db-null",
    }
}

fn scalar(parameter: &ParameterValue, kind: Kind, buffer: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Bool => match parameter {
            ParameterValue::Boolean(value) => put(buffer, &[u8::from(*value)]),
            _ => None,
        },
        Kind::Char => put(buffer, &i8::try_from(integer(parameter)?).ok()?.to_be_bytes()),
        Kind::Int2 => put(buffer, &i16::try_from(integer(parameter)?).ok()?.to_be_bytes()),
        Kind::Int4 => put(buffer, &i32::try_from(integer(parameter)?).ok()?.to_be_bytes()),
        Kind::Int8 => put(buffer, &integer(parameter)?.to_be_bytes()),
        Kind::Oid => put(buffer, &u32::try_from(integer(parameter)?).ok()?.to_be_bytes()),
        Kind::Float4 => put(buffer, &narrowed(parameter)?.to_be_bytes()),
        Kind::Float8 => put(buffer, &float(parameter)?.to_be_bytes()),
        Kind::Numeric => decimal(parameter, buffer),
        Kind::Text => match parameter {
            ParameterValue::Str(text) | ParameterValue::Uuid(text) | ParameterValue::Decimal(text) => {
                put(buffer, text.as_bytes())
            }
            _ => None,
        },
        Kind::Bytea => match parameter {
            ParameterValue::Binary(bytes) => put(buffer, bytes),
            _ => None,
        },
        Kind::Uuid => put(buffer, uuid::Uuid::parse_str(text(parameter)?).ok()?.as_bytes()),
        Kind::Json => put(buffer, json(parameter)?),
        Kind::Jsonb => {
            buffer.push(1);
            put(buffer, json(parameter)?)
        }
        Kind::Date | Kind::Time | Kind::Timestamp | Kind::TimestampTz | Kind::Interval => {
            moment(parameter, kind, buffer)
        }
        Kind::RangeInt4 | Kind::RangeInt8 | Kind::RangeNumeric => range(parameter, kind, buffer),
        Kind::Other => None,
    }
}

fn put(buffer: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    buffer.extend_from_slice(bytes);
    Some(())
}

fn text(parameter: &ParameterValue) -> Option<&str> {
    match parameter {
        ParameterValue::Str(text) | ParameterValue::Uuid(text) | ParameterValue::Decimal(text) => Some(text),
        _ => None,
    }
}

fn integer(parameter: &ParameterValue) -> Option<i64> {
    match parameter {
        ParameterValue::Int8(value) => Some(i64::from(*value)),
        ParameterValue::Int16(value) => Some(i64::from(*value)),
        ParameterValue::Int32(value) => Some(i64::from(*value)),
        ParameterValue::Int64(value) => Some(*value),
        _ => text(parameter)?.parse().ok(),
    }
}

fn float(parameter: &ParameterValue) -> Option<f64> {
    match parameter {
        ParameterValue::Floating32(value) => Some(f64::from(*value)),
        ParameterValue::Floating64(value) => Some(*value),
        ParameterValue::Int8(_) | ParameterValue::Int16(_) | ParameterValue::Int32(_) => {
            i32::try_from(integer(parameter)?).ok().map(f64::from)
        }
        _ => None,
    }
}

fn narrowed(parameter: &ParameterValue) -> Option<f32> {
    match parameter {
        ParameterValue::Floating32(value) => Some(*value),
        #[expect(clippy::cast_possible_truncation, reason = "real holds fewer digits; that is the column's choice")]
        _ => Some(float(parameter)? as f32),
    }
}

fn decimal(parameter: &ParameterValue, buffer: &mut Vec<u8>) -> Option<()> {
    match parameter {
        ParameterValue::Floating32(value) => write_decimal(&value.to_string(), buffer),
        ParameterValue::Floating64(value) => write_decimal(&value.to_string(), buffer),
        _ => match text(parameter) {
            Some(text) => write_decimal(text, buffer),
            None => write_decimal(&integer(parameter)?.to_string(), buffer),
        },
    }
}

fn json(parameter: &ParameterValue) -> Option<&[u8]> {
    match parameter {
        ParameterValue::Jsonb(bytes) => Some(bytes),
        _ => text(parameter).map(str::as_bytes),
    }
}

fn moment(parameter: &ParameterValue, kind: Kind, buffer: &mut Vec<u8>) -> Option<()> {
    match (kind, parameter) {
        (Kind::Date, ParameterValue::Date(date)) => put(buffer, &days_from_date(*date)?.to_be_bytes()),
        (Kind::Time, ParameterValue::Time(time)) => put(buffer, &micros_from_time(*time)?.to_be_bytes()),
        (Kind::Timestamp | Kind::TimestampTz, ParameterValue::Datetime(instant)) => {
            put(buffer, &micros_from_datetime(*instant)?.to_be_bytes())
        }
        (Kind::Timestamp | Kind::TimestampTz, ParameterValue::Timestamp(seconds)) => {
            put(buffer, &micros_from_unix_seconds(*seconds)?.to_be_bytes())
        }
        (Kind::Timestamp | Kind::TimestampTz, ParameterValue::Date((year, month, day))) => {
            put(buffer, &micros_from_datetime((*year, *month, *day, 0, 0, 0, 0))?.to_be_bytes())
        }
        (Kind::TimestampTz, ParameterValue::Str(text)) => put(buffer, &micros_from_rfc3339(text)?.to_be_bytes()),
        (Kind::Interval, ParameterValue::Interval(interval)) => {
            put(buffer, &interval.micros.to_be_bytes())?;
            put(buffer, &interval.days.to_be_bytes())?;
            put(buffer, &interval.months.to_be_bytes())
        }
        _ => None,
    }
}

fn range(parameter: &ParameterValue, kind: Kind, buffer: &mut Vec<u8>) -> Option<()> {
    match (kind, parameter) {
        (Kind::RangeInt4, ParameterValue::RangeInt32(value)) => {
            write_range(value, buffer, |bound, buffer| put(buffer, &bound.to_be_bytes()))
        }
        (Kind::RangeInt8, ParameterValue::RangeInt64(value)) => {
            write_range(value, buffer, |bound, buffer| put(buffer, &bound.to_be_bytes()))
        }
        (Kind::RangeInt8, ParameterValue::RangeInt32(value)) => {
            write_range(value, buffer, |bound, buffer| put(buffer, &i64::from(*bound).to_be_bytes()))
        }
        (Kind::RangeNumeric, ParameterValue::RangeDecimal(value)) => {
            write_range(value, buffer, |bound, buffer| write_decimal(bound, buffer))
        }
        _ => None,
    }
}

fn array(parameter: &ParameterValue, kind: Kind, oid: u32, buffer: &mut Vec<u8>) -> Option<()> {
    match parameter {
        ParameterValue::ArrayInt32(elements) => {
            write_array(elements, oid, buffer, |element, buffer| scalar(&ParameterValue::Int32(*element), kind, buffer))
        }
        ParameterValue::ArrayInt64(elements) => {
            write_array(elements, oid, buffer, |element, buffer| scalar(&ParameterValue::Int64(*element), kind, buffer))
        }
        ParameterValue::ArrayDecimal(elements) | ParameterValue::ArrayStr(elements) => {
            write_array(elements, oid, buffer, |element, buffer| text_element(element, kind, buffer))
        }
        _ => None,
    }
}

/// Writes text as an element of an array without copying it first where the type allows.
fn text_element(element: &str, kind: Kind, buffer: &mut Vec<u8>) -> Option<()> {
    match kind {
        Kind::Text => put(buffer, element.as_bytes()),
        Kind::Uuid => put(buffer, uuid::Uuid::from_str(element).ok()?.as_bytes()),
        Kind::Numeric => write_decimal(element, buffer),
        _ => scalar(&ParameterValue::Str(element.to_owned()), kind, buffer),
    }
}
