//! Every type in both directions.

use super::{Fixture, code, value};
use plaza::capability::postgres::{DbDataType, DbValue, Error, Interval, ParameterValue, RangeBoundKind};

const TYPES: [&str; 32] = [
    "bool",
    "\"char\"",
    "int2",
    "int4",
    "int8",
    "oid",
    "float4",
    "float8",
    "numeric",
    "text",
    "varchar",
    "char(3)",
    "name",
    "bytea",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "json",
    "jsonb",
    "interval",
    "int4range",
    "int8range",
    "numrange",
    "int4[]",
    "int8[]",
    "numeric[]",
    "text[]",
    "inet",
    "mood",
    "point",
];

#[tokio::test]
async fn every_value_goes_there_and_back() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    let connection = fixture.open();
    for (type_name, parameter, expected) in round_trips() {
        let sql = format!("SELECT $1::{type_name}");
        let got = value(&connection, &sql, std::slice::from_ref(&parameter)).await;
        assert_eq!(got.as_ref().ok(), Some(&expected), "{type_name} from {parameter:?}: {got:?}");
    }
}

fn round_trips() -> Vec<(&'static str, ParameterValue, DbValue)> {
    use DbValue as D;
    use ParameterValue as P;
    let noon = (2024, 2, 29, 12, 30, 45, 123_456_000);
    let inclusive = |value| Some((value, RangeBoundKind::Inclusive));
    let exclusive = |value| Some((value, RangeBoundKind::Exclusive));
    let below = |value: i64| Some((value, RangeBoundKind::Exclusive));
    let long = "-123456789012345678901234567890123456789.000000000012345678901234567890";
    let interval = Interval { micros: -5, days: 3, months: -14 };
    vec![
        ("bool", P::Boolean(true), D::Boolean(true)),
        ("int2", P::Int16(i16::MIN), D::Int16(i16::MIN)),
        ("int2", P::Int8(-7), D::Int16(-7)),
        ("int4", P::Int32(i32::MAX), D::Int32(i32::MAX)),
        ("int4", P::Int64(5), D::Int32(5)),
        ("int8", P::Int64(i64::MIN), D::Int64(i64::MIN)),
        ("int8", P::Int32(-1), D::Int64(-1)),
        ("float4", P::Floating32(1.5), D::Floating32(1.5)),
        ("float8", P::Floating64(-0.1), D::Floating64(-0.1)),
        ("float8", P::Floating32(0.5), D::Floating64(0.5)),
        ("text", P::Str("Grüße 'x' \"y\" \\".into()), D::Str("Grüße 'x' \"y\" \\".into())),
        ("varchar", P::Str(String::new()), D::Str(String::new())),
        ("char(3)", P::Str("a".into()), D::Str("a  ".into())),
        ("name", P::Str("n".into()), D::Str("n".into())),
        ("mood", P::Str("happy".into()), D::Str("happy".into())),
        ("bytea", P::Binary(vec![0, 255, 1]), D::Binary(vec![0, 255, 1])),
        ("date", P::Date((2024, 2, 29)), D::Date((2024, 2, 29))),
        ("date", P::Date((-43, 3, 15)), D::Date((-43, 3, 15))),
        ("time", P::Time((23, 59, 59, 999_999_000)), D::Time((23, 59, 59, 999_999_000))),
        ("timestamp", P::Datetime(noon), D::Datetime(noon)),
        ("timestamptz", P::Datetime(noon), D::Datetime(noon)),
        ("timestamptz", P::Timestamp(0), D::Datetime((1970, 1, 1, 0, 0, 0, 0))),
        (
            "uuid",
            P::Uuid("67E55044-10B1-426F-9247-BB680E5FE0C8".into()),
            D::Uuid("67e55044-10b1-426f-9247-bb680e5fe0c8".into()),
        ),
        ("jsonb", P::Jsonb(b"{\"a\":[1,null]}".to_vec()), D::Jsonb(b"{\"a\": [1, null]}".to_vec())),
        ("json", P::Jsonb(b"{\"a\":1}".to_vec()), D::Jsonb(b"{\"a\":1}".to_vec())),
        ("numeric", P::Decimal(long.into()), D::Decimal(long.into())),
        ("numeric", P::Decimal("1e3".into()), D::Decimal("1000".into())),
        ("numeric", P::Decimal("NaN".into()), D::Decimal("NaN".into())),
        ("numeric(10,2)", P::Int64(7), D::Decimal("7.00".into())),
        ("numeric", P::Floating64(2.5), D::Decimal("2.5".into())),
        ("int4range", P::RangeInt32((inclusive(1), exclusive(5))), D::RangeInt32((inclusive(1), exclusive(5)))),
        ("int4range", P::RangeInt32((exclusive(1), inclusive(5))), D::RangeInt32((inclusive(2), exclusive(6)))),
        ("int4range", P::RangeInt32((exclusive(0), exclusive(0))), D::RangeInt32((exclusive(0), exclusive(0)))),
        ("int8range", P::RangeInt64((None, below(5))), D::RangeInt64((None, below(5)))),
        ("int8range", P::RangeInt64((None, None)), D::RangeInt64((None, None))),
        (
            "numrange",
            P::RangeDecimal((Some(("1.5".into(), RangeBoundKind::Exclusive)), None)),
            D::RangeDecimal((Some(("1.5".into(), RangeBoundKind::Exclusive)), None)),
        ),
        ("int4[]", P::ArrayInt32(vec![Some(1), None]), D::ArrayInt32(vec![Some(1), None])),
        ("int4[]", P::ArrayInt32(vec![]), D::ArrayInt32(vec![])),
        ("int8[]", P::ArrayInt32(vec![Some(1)]), D::ArrayInt64(vec![Some(1)])),
        ("int8[]", P::ArrayInt64(vec![Some(i64::MAX)]), D::ArrayInt64(vec![Some(i64::MAX)])),
        (
            "numeric[]",
            P::ArrayDecimal(vec![Some("1.10".into()), None]),
            D::ArrayDecimal(vec![Some("1.10".into()), None]),
        ),
        ("text[]", P::ArrayStr(vec![Some("a,\"".into()), None]), D::ArrayStr(vec![Some("a,\"".into()), None])),
        ("mood[]", P::ArrayStr(vec![Some("sad".into())]), D::ArrayStr(vec![Some("sad".into())])),
        ("interval", P::Interval(interval), D::Interval(interval)),
    ]
}

#[tokio::test]
async fn a_string_serves_for_every_type_as_in_a_literal() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    let connection = fixture.open();
    let texts = [
        ("bool", "t"),
        ("int4", "-12"),
        ("int8", " 7 "),
        ("float8", "1.5e3"),
        ("numeric", "Infinity"),
        ("date", "2024-02-29"),
        ("time", "10:00"),
        ("timestamp", "2024-02-29 10:00:00"),
        ("timestamptz", "2024-02-29T10:00:00+02:00"),
        ("timestamptz", "2024-02-29 10:00 Europe/Berlin"),
        ("uuid", "67e55044-10b1-426f-9247-bb680e5fe0c8"),
        ("json", "{\"a\":1}"),
        ("jsonb", "[1]"),
        ("interval", "15 minutes"),
        ("int4range", "[1,5)"),
        ("int4[]", "{1,2}"),
        ("inet", "10.0.0.1"),
        ("mood", "sad"),
        ("bytea", "\\x00ff"),
        ("point", "(1,2)"),
        ("uuid[]", "{}"),
        ("date", "infinity"),
    ];
    for (type_name, text) in texts {
        let expected = fixture.value(&format!("SELECT '{text}'::{type_name}::text")).await;
        let sql = format!("SELECT ($1::{type_name})::text");
        let got = value(&connection, &sql, &[ParameterValue::Str(text.to_owned())]).await;
        assert_eq!(got.as_ref().ok(), Some(&expected), "{type_name} from {text}: {got:?}");
    }
}

#[tokio::test]
async fn text_that_is_wrong_gets_the_databases_own_error() {
    let fixture = Fixture::new().await;
    let error = value(&fixture.open(), "SELECT $1::uuid", &[ParameterValue::Str("x".into())]).await.unwrap_err();
    assert_eq!(code(&error), "22P02");
}

#[tokio::test]
async fn null_serves_for_every_type() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    let connection = fixture.open();
    for type_name in TYPES {
        let sql = format!("SELECT $1::{type_name}");
        assert_eq!(value(&connection, &sql, &[ParameterValue::DbNull]).await.unwrap(), DbValue::DbNull, "{type_name}");
    }
}

#[tokio::test]
async fn parameters_take_the_types_of_their_columns() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    let create = "CREATE TABLE t (id uuid PRIMARY KEY, amount bigint, at timestamptz, data jsonb, tags text[])";
    connection.execute(create, &[]).await.unwrap();
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let row = [
        ParameterValue::Str(id.into()),
        ParameterValue::Int32(7),
        ParameterValue::Str("2024-02-29T10:00:00Z".into()),
        ParameterValue::Str("{}".into()),
        ParameterValue::DbNull,
    ];
    let count = connection.execute("INSERT INTO t VALUES ($1, $2, $3, $4, $5)", &row).await.unwrap();
    assert_eq!(count, 1);
    let ids = ParameterValue::ArrayStr(vec![Some(id.into()), None]);
    let sql = "SELECT amount FROM t WHERE id = ANY($1)";
    assert_eq!(value(&connection, sql, &[ids]).await.unwrap(), DbValue::Int64(7));
}

#[tokio::test]
async fn other_types_arrive_as_the_servers_bytes_with_their_name() {
    let fixture = Fixture::new().await;
    let rows = fixture.open().query("SELECT '10.0.0.1'::inet AS a, 'infinity'::date AS b", &[]).await.unwrap();
    assert_eq!(rows.columns[0].name, "a");
    assert_eq!(rows.columns[0].data_type, DbDataType::Other("inet".into()));
    assert_eq!(rows.first[0][0], DbValue::Unsupported(vec![2, 32, 0, 4, 10, 0, 0, 1]));
    assert!(matches!(rows.first[0][1], DbValue::Unsupported(_)));
}

#[tokio::test]
async fn a_parameter_that_does_not_fit_is_named() {
    let fixture = Fixture::new().await;
    let connection = fixture.open();
    let error = value(&connection, "SELECT $1::int2", &[ParameterValue::Int32(70_000)]).await.unwrap_err();
    assert!(matches!(&*error, Error::BadParameter(text) if text.contains("$1 is a int32") && text.contains("int2")));
    let error = value(&connection, "SELECT $1::int4", &[]).await.unwrap_err();
    assert!(matches!(&*error, Error::BadParameter(text) if text.contains("has 1 parameters, but 0 were given")));
}

#[tokio::test]
async fn an_error_carries_what_the_database_said() {
    let fixture = Fixture::new().await;
    fixture.execute("CREATE TABLE t (email text CONSTRAINT one_account UNIQUE)").await;
    fixture.execute("INSERT INTO t VALUES ('a')").await;
    let error = fixture.open().execute("INSERT INTO t VALUES ('a')", &[]).await.unwrap_err();
    let Error::QueryFailed(plaza::capability::postgres::QueryError::DbError(error)) = *error else { panic!() };
    assert_eq!((error.code.as_str(), error.severity.as_str()), ("23505", "ERROR"));
    assert_eq!(error.detail.as_deref(), Some("Key (email)=(a) already exists."));
    assert!(error.extras.contains(&("constraint".into(), "one_account".into())));
    assert!(error.as_text.contains("duplicate key"));
}

#[tokio::test]
async fn a_query_without_rows_still_names_its_columns() {
    let fixture = Fixture::new().await;
    let rows = fixture.open().query("SELECT 1 AS one WHERE false", &[]).await.unwrap();
    assert_eq!((rows.columns[0].name.as_str(), rows.first.len()), ("one", 0));
}
