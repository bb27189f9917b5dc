//! Guests that import one version of the interface each, with every value that the version has in both directions.

use super::Fixture;
use super::guests::{compile, run, store};

/// What guests of 4.0.0 and later get back for each of their parameters.
const FOUR: [&str; 26] = [
    "bool [DbDataType::Boolean] [[DbValue::Boolean(true)]]",
    "int2 [DbDataType::Int16] [[DbValue::Int16(-7)]]",
    "int2 [DbDataType::Int16] [[DbValue::Int16(-32768)]]",
    "int4 [DbDataType::Int32] [[DbValue::Int32(2147483647)]]",
    "int8 [DbDataType::Int64] [[DbValue::Int64(-9223372036854775808)]]",
    "float4 [DbDataType::Floating32] [[DbValue::Floating32(1.5)]]",
    "float8 [DbDataType::Floating64] [[DbValue::Floating64(-0.1)]]",
    "text [DbDataType::Str] [[DbValue::Str(\"Grüße\")]]",
    "bytea [DbDataType::Binary] [[DbValue::Binary([0, 255])]]",
    "date [DbDataType::Date] [[DbValue::Date((2024, 2, 29))]]",
    "time [DbDataType::Time] [[DbValue::Time((23, 59, 59, 999999000))]]",
    "timestamp [DbDataType::Datetime] [[DbValue::Datetime((2024, 2, 29, 12, 30, 45, 123456000))]]",
    "timestamptz [DbDataType::Datetime] [[DbValue::Datetime((1970, 1, 1, 0, 0, 1, 0))]]",
    "uuid [DbDataType::Uuid] [[DbValue::Uuid(\"67e55044-10b1-426f-9247-bb680e5fe0c8\")]]",
    "jsonb [DbDataType::Jsonb] [[DbValue::Jsonb([91, 49, 93])]]",
    "numeric [DbDataType::Decimal] [[DbValue::Decimal(\"1.50\")]]",
    "int4range [DbDataType::RangeInt32] [[DbValue::RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((5, RangeBoundKind::Exclusive))))]]",
    "int8range [DbDataType::RangeInt64] [[DbValue::RangeInt64((None, Some((5, RangeBoundKind::Exclusive))))]]",
    "numrange [DbDataType::RangeDecimal] [[DbValue::RangeDecimal((Some((\"1.5\", RangeBoundKind::Exclusive)), None))]]",
    "int4[] [DbDataType::ArrayInt32] [[DbValue::ArrayInt32([Some(1), None])]]",
    "int8[] [DbDataType::ArrayInt64] [[DbValue::ArrayInt64([Some(9223372036854775807)])]]",
    "numeric[] [DbDataType::ArrayDecimal] [[DbValue::ArrayDecimal([Some(\"1.10\"), None])]]",
    "text[] [DbDataType::ArrayStr] [[DbValue::ArrayStr([Some(\"a\"), None])]]",
    "interval [DbDataType::Interval] [[DbValue::Interval(Interval { micros: -5, days: 3, months: -14 })]]",
    "int8 [DbDataType::Int64] [[DbValue::DbNull]]",
    "inet [DbDataType::Other(\"inet\")] [[DbValue::Unsupported([2, 32, 0, 4, 10, 0, 0, 1])]]",
];

/// Lets the guest of a version do what `name` says. It must import that version and no other.
async fn ask(version: &str, name: &str) -> Vec<String> {
    let guest = compile(&format!("examples/speaks_{}.wasm", version.replace('.', "_")));
    let component = guest.component_type();
    let imports = component.imports(guest.engine()).map(|(import, _)| import.to_owned());
    let versions: Vec<String> = imports.filter(|import| import.contains("/postgres@")).collect();
    assert!(matches!(versions.as_slice(), [only] if only.ends_with(version)), "{versions:?}");
    let fixture = Fixture::new().await;
    let answer = run(&mut store(&fixture), &guest, &fixture, (name, 1)).await.remove(0).unwrap();
    answer.lines().map(str::to_owned).collect()
}

/// Checks the errors, which differ in how much of the database's words they carry.
async fn assert_failures(version: &str, name: &str, failed: &str) {
    let answer = ask(version, name).await;
    let [refused, bad, division] = answer.as_slice() else { panic!("{answer:?}") };
    assert!(refused.starts_with("Error::ConnectionFailed(\"component `tested` may not connect"), "{refused}");
    assert!(bad.starts_with("Error::BadParameter(\"the statement has 1 parameters"), "{bad}");
    assert!(division.starts_with(failed), "{division}");
}

const FAILED_AS_TEXT: &str = "Error::QueryFailed(\"ERROR: division by zero (SQLSTATE 22012)\")";
const FAILED_AS_RECORD: &str = "Error::QueryFailed(QueryError::DbError(DbError { as-text: \
     \"ERROR: division by zero (SQLSTATE 22012)\", severity: \"ERROR\", code: \"22012\", message: \"division by zero\"";

#[tokio::test]
async fn version_2_0_0_has_integers_with_and_without_signs() {
    let expected = [
        "bool [DbDataType::Boolean] [[DbValue::Boolean(true)]]",
        "int2 [DbDataType::Int16] [[DbValue::Int16(-7)]]",
        "int2 [DbDataType::Int16] [[DbValue::Int16(-32768)]]",
        "int4 [DbDataType::Int32] [[DbValue::Int32(2147483647)]]",
        "int8 [DbDataType::Int64] [[DbValue::Int64(-9223372036854775808)]]",
        "int2 [DbDataType::Int16] [[DbValue::Int16(255)]]",
        "int4 [DbDataType::Int32] [[DbValue::Int32(65535)]]",
        "int8 [DbDataType::Int64] [[DbValue::Int64(4294967295)]]",
        "int8 [DbDataType::Int64] [[DbValue::Int64(4611686018427387904)]]",
        "numeric::text [DbDataType::Str] [[DbValue::Str(\"18446744073709551615\")]]",
        "float4 [DbDataType::Floating32] [[DbValue::Floating32(1.5)]]",
        "float8 [DbDataType::Floating64] [[DbValue::Floating64(-0.1)]]",
        "text [DbDataType::Str] [[DbValue::Str(\"Grüße\")]]",
        "bytea [DbDataType::Binary] [[DbValue::Binary([0, 255])]]",
        "int8 [DbDataType::Int64] [[DbValue::DbNull]]",
        "date [DbDataType::Other] [[DbValue::Unsupported]]",
        "numeric [DbDataType::Other] [[DbValue::Unsupported]]",
    ];
    assert_eq!(ask("2.0.0", "values").await, expected);
    assert_eq!(ask("2.0.0", "counts").await, ["0 2 2 number 0"]);
    assert_failures("2.0.0", "failures", FAILED_AS_TEXT).await;
}

#[tokio::test]
async fn version_3_0_0_has_dates_and_times() {
    let (before_dates, until_times) = (FOUR.get(..9).unwrap(), FOUR.get(9..13).unwrap());
    let beyond = [
        "int8 [DbDataType::Int64] [[DbValue::DbNull]]",
        "uuid [DbDataType::Other] [[DbValue::Unsupported]]",
        "numeric [DbDataType::Other] [[DbValue::Unsupported]]",
    ];
    assert_eq!(ask("3.0.0", "values").await, [before_dates, until_times, &beyond].concat());
    assert_eq!(ask("3.0.0", "counts").await, ["0 2 2 number 0"]);
    assert_failures("3.0.0", "failures", FAILED_AS_TEXT).await;
}

#[tokio::test]
async fn version_4_0_0_has_every_value() {
    assert_eq!(ask("4.0.0", "values").await, FOUR);
    assert_eq!(ask("4.0.0", "counts").await, ["0 2 2 number 0"]);
    assert_failures("4.0.0", "failures", FAILED_AS_RECORD).await;
}

#[tokio::test]
async fn version_4_1_0_builds_connections() {
    assert_eq!(ask("4.1.0", "values").await, FOUR);
    assert_eq!(ask("4.1.0", "counts").await, ["0 2 2 number 0"]);
    assert_failures("4.1.0", "failures", FAILED_AS_RECORD).await;
    assert_eq!(ask("4.1.0", "builds").await, ["true [[DbValue::Int32(1)]]"]);
}

#[tokio::test]
async fn version_4_2_0_waits_without_holding_up_the_instance() {
    for way in ["", "-async"] {
        assert_eq!(ask("4.2.0", &format!("values{way}")).await, FOUR, "{way}");
        assert_eq!(ask("4.2.0", &format!("counts{way}")).await, ["0 2 2 number 0"], "{way}");
        assert_failures("4.2.0", &format!("failures{way}"), FAILED_AS_RECORD).await;
    }
    assert_eq!(ask("4.2.0", "builds").await, ["true [[DbValue::Int32(1)]] [[DbValue::Int32(1)]]"]);
}
