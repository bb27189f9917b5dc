//! One statement on one connection: prepared once, then a single round trip each time.

use super::encode::{self, Written};
use super::failure::{self, Failure};
use super::lease::Lease;
use super::sink::{Refusal, Row, Sink};
use super::value::{self, Shape};
use super::{Column, DbValue, ParameterValue, decode};
use futures::TryStreamExt as _;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgArguments, PgRow, PgStatement, PgTypeInfo};
use sqlx::{
    Arguments as _, AssertSqlSafe, Column as _, Either, Executor as _, PgConnection, Postgres, Row as _,
    SqlSafeStr as _, SqlStr, Statement as _, TypeInfo as _, ValueRef as _,
};

/// Type number of `text`.
const TEXT_OID: u32 = 25;
/// Type number of `text[]`.
const TEXT_ARRAY_OID: u32 = 1009;

/// Why a statement did not end well.
pub enum Trouble {
    /// The server or the connection failed. `sent`: the statement may have been executed.
    Database { error: sqlx::Error, sent: bool },
    /// The host refused; nothing was executed and the connection is in order.
    Refused(Failure),
    /// The rows were not taken to the end, so the connection is not in order.
    Interrupted(Refusal),
    /// The connection was lost before.
    NoConnection,
}

/// Runs `sql` on the lease's connection and gives its rows to `sink`.
pub async fn run(lease: &mut Lease, sql: &str, parameters: &[ParameterValue], sink: &mut Sink) -> Result<(), Trouble> {
    // Rows that nobody takes are read to the end where a transaction would be lost otherwise.
    let keep = lease.is_held();
    let Some(connection) = lease.start() else {
        return Err(Trouble::NoConnection);
    };
    let outcome = attempt(connection, sql, parameters, sink, keep).await;
    match &outcome {
        Ok(()) | Err(Trouble::Refused(_)) => lease.settle(),
        Err(Trouble::Database { error, .. }) if !failure::loses_connection(error) => lease.settle(),
        Err(_) => lease.lose(),
    }
    outcome
}

async fn attempt(
    connection: &mut PgConnection,
    sql: &str,
    parameters: &[ParameterValue],
    sink: &mut Sink,
    keep: bool,
) -> Result<(), Trouble> {
    let unsent = |error| Trouble::Database { error, sent: false };
    let sent = |error| Trouble::Database { error, sent: true };
    let sql: SqlStr = AssertSqlSafe(sql).into_sql_str();
    // Answered from the connection's cache after the first time. No types are given, so that the server infers them.
    let statement = connection.prepare_with(sql, &[]).await.map_err(unsent)?;
    let arguments = arguments(connection, &statement, parameters).await?;
    let shapes: Vec<Shape> = statement.columns().iter().map(|column| value::shape(column.type_info())).collect();
    if sink.wants_rows() {
        sink.columns(columns(&statement));
    }
    let mut refused = None;
    let mut items = connection.fetch_many(statement.query_with(arguments));
    while let Some(item) = items.try_next().await.map_err(sent)? {
        match item {
            Either::Left(done) => sink.affected(done.rows_affected()),
            Either::Right(row) if sink.wants_rows() && refused.is_none() => {
                let (row, bytes) = read_row(&row, &shapes).map_err(sent)?;
                match sink.row(row, bytes).await {
                    Ok(()) => {}
                    Err(Refusal::Limit(failure)) if keep => refused = Some(failure),
                    Err(refusal) => return Err(Trouble::Interrupted(refusal)),
                }
            }
            Either::Right(_) => {}
        }
    }
    refused.map_or(Ok(()), |failure| Err(Trouble::Refused(failure)))
}

fn columns(statement: &PgStatement) -> Vec<Column> {
    let column = |column: &sqlx::postgres::PgColumn| Column {
        name: column.name().to_owned(),
        data_type: value::data_type(column.type_info()),
    };
    statement.columns().iter().map(column).collect()
}

/// The row's values and about how many bytes they take in memory.
fn read_row(row: &PgRow, shapes: &[Shape]) -> Result<(Row, usize), sqlx::Error> {
    let mut values = Vec::with_capacity(shapes.len());
    let mut size = size_of::<Row>() + shapes.len() * size_of::<DbValue>();
    for (index, shape) in shapes.iter().enumerate() {
        let raw = row.try_get_raw(index)?;
        let bytes = if raw.is_null() { None } else { Some(raw.as_bytes().map_err(sqlx::Error::Decode)?) };
        size += bytes.map_or(0, <[u8]>::len);
        values.push(decode::value(*shape, bytes));
    }
    Ok((values, size))
}

/// The parameters in the types that the server inferred.
async fn arguments(
    connection: &mut PgConnection,
    statement: &PgStatement,
    parameters: &[ParameterValue],
) -> Result<PgArguments, Trouble> {
    let types = match statement.parameters() {
        Some(Either::Left(types)) => types,
        _ => &[],
    };
    if types.len() != parameters.len() {
        let (wanted, given) = (types.len(), parameters.len());
        let message = format!("the statement has {wanted} parameters, but {given} were given");
        return Err(Trouble::Refused(failure::parameter(message)));
    }
    let mut arguments = PgArguments::default();
    arguments.reserve(parameters.len(), parameters.len() * 16);
    let mut buffer = Vec::new();
    for (index, (parameter, type_info)) in parameters.iter().zip(types).enumerate() {
        buffer.clear();
        let is_null = match encode::write(parameter, value::shape(type_info), &mut buffer) {
            Written::Value => false,
            Written::Null => true,
            Written::FromText(text) => {
                let raw = Raw { bytes: Some(text.as_bytes()), type_oid: TEXT_OID };
                cast(connection, "text", raw, type_info, &mut buffer).await?
            }
            Written::FromTexts(texts) => {
                let mut bytes = Vec::new();
                let shape = Shape::Array(value::Kind::Text, TEXT_OID);
                encode::write(&ParameterValue::ArrayStr(texts), shape, &mut bytes);
                let raw = Raw { bytes: Some(&bytes), type_oid: TEXT_ARRAY_OID };
                cast(connection, "text[]", raw, type_info, &mut buffer).await?
            }
            Written::Mismatch => {
                return Err(Trouble::Refused(mismatch(index, parameter, type_info)));
            }
        };
        let raw =
            Raw { bytes: (!is_null).then_some(buffer.as_slice()), type_oid: type_info.oid().map_or(0, |oid| oid.0) };
        arguments.add(raw).map_err(|error| Trouble::Refused(failure::parameter(error.to_string())))?;
    }
    Ok(arguments)
}

fn mismatch(index: usize, parameter: &ParameterValue, type_info: &PgTypeInfo) -> Failure {
    let (number, given, wanted) = (index + 1, encode::name(parameter), type_info.name().to_ascii_lowercase());
    failure::parameter(format!(
        "parameter ${number} is a {given}, which does not fit the database's type {wanted}; \
         pass another value or cast it in the statement, as in ${number}::text::{wanted}"
    ))
}

/// Lets the server make a value of `target` from text; writes its bytes and tells whether it is NULL.
async fn cast(
    connection: &mut PgConnection,
    source: &str,
    raw: Raw<'_>,
    target: &PgTypeInfo,
    buffer: &mut Vec<u8>,
) -> Result<bool, Trouble> {
    let unsent = |error| Trouble::Database { error, sent: false };
    let sql = AssertSqlSafe(format!("SELECT CAST($1::{source} AS {})", target.name())).into_sql_str();
    let mut arguments = PgArguments::default();
    arguments.add(raw).map_err(|error| unsent(sqlx::Error::Encode(error)))?;
    let row = connection.fetch_one(sqlx::query_with(sql, arguments)).await.map_err(unsent)?;
    let value = row.try_get_raw(0).map_err(unsent)?;
    if !value.is_null() {
        let bytes = value.as_bytes().map_err(|error| unsent(sqlx::Error::Decode(error)))?;
        buffer.clear();
        buffer.extend_from_slice(bytes);
    }
    Ok(value.is_null())
}

/// Bytes that are already in the server's format.
struct Raw<'a> {
    bytes: Option<&'a [u8]>,
    type_oid: u32,
}

impl sqlx::Type<Postgres> for Raw<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(sqlx::postgres::types::Oid(0))
    }
}

impl<'a> sqlx::Encode<'a, Postgres> for Raw<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let Some(bytes) = self.bytes else {
            return Ok(IsNull::Yes);
        };
        buffer.extend_from_slice(bytes);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(sqlx::postgres::types::Oid(self.type_oid)))
    }
}
