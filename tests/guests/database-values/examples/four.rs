//! What the versions from 4.0.0 on have in common.

use crate::postgres::{Interval, ParameterValue, RangeBoundKind};

/// Every parameter that the versions have, and a type that they cannot say.
pub fn cases() -> Vec<(&'static str, ParameterValue)> {
    use ParameterValue as P;
    let from_one = Some((1, RangeBoundKind::Inclusive));
    let below_five = Some((5, RangeBoundKind::Exclusive));
    let above = Some(("1.5".to_owned(), RangeBoundKind::Exclusive));
    vec![
        ("bool", P::Boolean(true)),
        ("int2", P::Int8(-7)),
        ("int2", P::Int16(i16::MIN)),
        ("int4", P::Int32(i32::MAX)),
        ("int8", P::Int64(i64::MIN)),
        ("float4", P::Floating32(1.5)),
        ("float8", P::Floating64(-0.1)),
        ("text", P::Str("Grüße".to_owned())),
        ("bytea", P::Binary(vec![0, 255])),
        ("date", P::Date((2024, 2, 29))),
        ("time", P::Time((23, 59, 59, 999_999_000))),
        ("timestamp", P::Datetime((2024, 2, 29, 12, 30, 45, 123_456_000))),
        ("timestamptz", P::Timestamp(1)),
        ("uuid", P::Uuid("67e55044-10b1-426f-9247-bb680e5fe0c8".to_owned())),
        ("jsonb", P::Jsonb(b"[1]".to_vec())),
        ("numeric", P::Decimal("1.50".to_owned())),
        ("int4range", P::RangeInt32((from_one, below_five))),
        ("int8range", P::RangeInt64((None, Some((5, RangeBoundKind::Exclusive))))),
        ("numrange", P::RangeDecimal((above, None))),
        ("int4[]", P::ArrayInt32(vec![Some(1), None])),
        ("int8[]", P::ArrayInt64(vec![Some(i64::MAX)])),
        ("numeric[]", P::ArrayDecimal(vec![Some("1.10".to_owned()), None])),
        ("text[]", P::ArrayStr(vec![Some("a".to_owned()), None])),
        ("interval", P::Interval(Interval { micros: -5, days: 3, months: -14 })),
        ("int8", P::DbNull),
        ("inet", P::Str("10.0.0.1".to_owned())),
    ]
}
