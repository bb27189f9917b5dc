//! Postgres' types as this capability tells them apart, and single values in the binary format.

use super::DbDataType;
use sqlx::TypeInfo;
use sqlx::postgres::{PgTypeInfo, PgTypeKind};

/// A family of Postgres types that share a binary format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `bool`
    Bool,
    /// `"char"`
    Char,
    /// `smallint`
    Int2,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `oid`
    Oid,
    /// `real`
    Float4,
    /// `double precision`
    Float8,
    /// `numeric`
    Numeric,
    /// Types whose binary format is their text: text, varchar, char(n), name, enums, citext …
    Text,
    /// `bytea`
    Bytea,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`
    TimestampTz,
    /// `uuid`
    Uuid,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `interval`
    Interval,
    /// `int4range`
    RangeInt4,
    /// `int8range`
    RangeInt8,
    /// `numrange`
    RangeNumeric,
    /// Anything else.
    Other,
}

/// A type: a family or an array of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A single value.
    Scalar(Kind),
    /// An array whose elements are of this family and have this type number.
    Array(Kind, u32),
}

/// Tells the shape of a type.
pub fn shape(info: &PgTypeInfo) -> Shape {
    match info.kind() {
        PgTypeKind::Array(element) => Shape::Array(scalar(element), element.oid().map_or(0, |oid| oid.0)),
        PgTypeKind::Domain(base) => shape(base),
        _ => Shape::Scalar(scalar(info)),
    }
}

fn scalar(info: &PgTypeInfo) -> Kind {
    match info.kind() {
        PgTypeKind::Enum(_) => return Kind::Text,
        PgTypeKind::Domain(base) => return scalar(base),
        _ => {}
    }
    // The numbers of built-in types are fixed in the server's catalogue (pg_type.dat).
    match info.oid().map_or(0, |oid| oid.0) {
        16 => Kind::Bool,
        17 => Kind::Bytea,
        18 => Kind::Char,
        19 | 25 | 705 | 1042 | 1043 => Kind::Text,
        20 => Kind::Int8,
        21 => Kind::Int2,
        23 => Kind::Int4,
        26 => Kind::Oid,
        114 => Kind::Json,
        700 => Kind::Float4,
        701 => Kind::Float8,
        1082 => Kind::Date,
        1083 => Kind::Time,
        1114 => Kind::Timestamp,
        1184 => Kind::TimestampTz,
        1186 => Kind::Interval,
        1700 => Kind::Numeric,
        2950 => Kind::Uuid,
        3802 => Kind::Jsonb,
        3904 => Kind::RangeInt4,
        3906 => Kind::RangeNumeric,
        3926 => Kind::RangeInt8,
        _ if info.name().eq_ignore_ascii_case("citext") => Kind::Text,
        _ => Kind::Other,
    }
}

/// What the interface calls a type.
pub fn data_type(info: &PgTypeInfo) -> DbDataType {
    let other = || DbDataType::Other(info.name().to_ascii_lowercase());
    match shape(info) {
        Shape::Scalar(kind) => match kind {
            Kind::Bool => DbDataType::Boolean,
            Kind::Int2 => DbDataType::Int16,
            Kind::Int4 => DbDataType::Int32,
            Kind::Int8 => DbDataType::Int64,
            Kind::Float4 => DbDataType::Floating32,
            Kind::Float8 => DbDataType::Floating64,
            Kind::Numeric => DbDataType::Decimal,
            Kind::Text => DbDataType::Str,
            Kind::Bytea => DbDataType::Binary,
            Kind::Date => DbDataType::Date,
            Kind::Time => DbDataType::Time,
            Kind::Timestamp | Kind::TimestampTz => DbDataType::Datetime,
            Kind::Uuid => DbDataType::Uuid,
            Kind::Json | Kind::Jsonb => DbDataType::Jsonb,
            Kind::Interval => DbDataType::Interval,
            Kind::RangeInt4 => DbDataType::RangeInt32,
            Kind::RangeInt8 => DbDataType::RangeInt64,
            Kind::RangeNumeric => DbDataType::RangeDecimal,
            Kind::Char | Kind::Oid | Kind::Other => other(),
        },
        Shape::Array(Kind::Int4, _) => DbDataType::ArrayInt32,
        Shape::Array(Kind::Int8, _) => DbDataType::ArrayInt64,
        Shape::Array(Kind::Numeric, _) => DbDataType::ArrayDecimal,
        Shape::Array(Kind::Text, _) => DbDataType::ArrayStr,
        Shape::Array(..) => other(),
    }
}

/// A cursor over bytes from the server that ends in `None` instead of a panic.
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `N` bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// A big-endian `i16`.
    pub fn i16(&mut self) -> Option<i16> {
        self.array().map(i16::from_be_bytes)
    }

    /// A big-endian `i32`.
    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// A value with its length before it; the inner `None` is NULL.
    pub fn field(&mut self) -> Option<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Some(None),
            length => self.take(usize::try_from(length).ok()?).map(Some),
        }
    }
}
