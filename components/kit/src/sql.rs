//! The component's own Postgres database.

use chrono::{DateTime, NaiveDate, Utc};
use spin_sdk::pg::{Connection, DbValue, PgError, QueryError};
use spin_sdk::wit_bindgen::StreamResult;
use thiserror::Error;

pub use spin_sdk::pg::ParameterValue;

use crate::{Failure, Problem, settings};

/// Rows taken from a result in one read.
const ROWS_AT_ONCE: usize = 128;

/// Why a statement had no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SqlError {
    /// The database cannot be reached, or asks to try again (a deadlock, a shutdown, too many connections).
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A row would break the constraint of this name.
    #[error("constraint {0} is broken")]
    Constraint(String),
    /// The statement itself failed: a fault of this program.
    #[error("the statement failed: {0}")]
    Failed(String),
}

impl SqlError {
    /// Whether this constraint refused the row.
    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, SqlError::Constraint(broken) if broken == name)
    }

    /// Whether the same statement may work later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, SqlError::Unavailable(_))
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self { temporary: error.is_temporary(), cause: error.to_string() }
    }
}

impl From<SqlError> for Problem {
    fn from(error: SqlError) -> Self {
        Failure::from(error).into()
    }
}

/// A database, by the variable that holds its address. Each statement takes a connection of its own, which the host
/// hands out of its pool.
#[derive(Debug, Clone, Copy)]
pub struct Database {
    url_variable: &'static str,
}

impl Database {
    /// The database whose address stands in this variable: `users_database_url`.
    pub const fn at(url_variable: &'static str) -> Self {
        Self { url_variable }
    }

    /// All rows of a statement.
    pub async fn rows(&self, statement: &str, params: Vec<ParameterValue>) -> Result<Vec<Row>, SqlError> {
        crate::local(self.fetch(statement, params)).await
    }

    /// The first row of a statement, if it has one.
    pub async fn row(&self, statement: &str, params: Vec<ParameterValue>) -> Result<Option<Row>, SqlError> {
        Ok(self.rows(statement, params).await?.into_iter().next())
    }

    /// The only row of a statement that always has one.
    pub async fn one(&self, statement: &str, params: Vec<ParameterValue>) -> Result<Row, SqlError> {
        self.row(statement, params)
            .await?
            .ok_or_else(|| SqlError::Failed("it returned no row, though it always must".to_owned()))
    }

    /// Whether the database answers at all.
    pub async fn answers(&self) -> Result<(), SqlError> {
        self.one("select 1 as one", Vec::new()).await.map(drop)
    }

    /// How many rows a statement changed.
    pub async fn execute(&self, statement: &str, params: Vec<ParameterValue>) -> Result<u64, SqlError> {
        crate::local(async {
            let connection = self.open().await?;
            Ok(connection.execute(statement, params).await?)
        })
        .await
    }

    async fn fetch(&self, statement: &str, params: Vec<ParameterValue>) -> Result<Vec<Row>, SqlError> {
        let connection = self.open().await?;
        let mut result = connection.query(statement, params).await?;
        let names: std::sync::Arc<[String]> = result.columns().iter().map(|column| column.name.clone()).collect();
        let mut rows = Vec::new();
        // Each read is a turn of the instance's event loop, so as many rows as are there are taken at once.
        loop {
            let (status, values) = result.rows().read(Vec::with_capacity(ROWS_AT_ONCE)).await;
            rows.extend(values.into_iter().map(|values| Row { names: names.clone(), values }));
            if matches!(status, StreamResult::Dropped | StreamResult::Cancelled) {
                break;
            }
        }
        result.result().await?;
        Ok(rows)
    }

    async fn open(&self) -> Result<Connection, SqlError> {
        let url = settings::get(self.url_variable).await.map_err(|error| SqlError::Failed(error.to_string()))?;
        Ok(Connection::open(url).await?)
    }
}

/// A row, read by column name.
#[derive(Debug, Clone)]
pub struct Row {
    names: std::sync::Arc<[String]>,
    values: Vec<DbValue>,
}

impl Row {
    /// The value of a column; [`SqlError::Failed`] says so where it is missing or of another type.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, SqlError> {
        let value = self
            .names
            .iter()
            .position(|column| column == name)
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| SqlError::Failed(format!("its result has no column `{name}`")))?;
        T::read(value).ok_or_else(|| {
            let wanted = std::any::type_name::<T>();
            SqlError::Failed(format!("column `{name}` cannot be read as {wanted}"))
        })
    }
}

/// A Rust type that a column can be read as.
pub trait Column: Sized {
    /// The value, or `None` where it is of another type.
    fn read(value: &DbValue) -> Option<Self>;
}

impl<T: Column> Column for Option<T> {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::DbNull => Some(None),
            value => T::read(value).map(Some),
        }
    }
}

impl Column for bool {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Boolean(value) => Some(*value),
            _ => None,
        }
    }
}

impl Column for i64 {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Int64(value) => Some(*value),
            DbValue::Int32(value) => Some(i64::from(*value)),
            DbValue::Int16(value) => Some(i64::from(*value)),
            _ => None,
        }
    }
}

impl Column for String {
    /// Text, a UUID, or JSON as text.
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Str(value) | DbValue::Uuid(value) => Some(value.clone()),
            DbValue::Jsonb(bytes) => String::from_utf8(bytes.clone()).ok(),
            _ => None,
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Binary(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl Column for serde_json::Value {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::Jsonb(bytes) => serde_json::from_slice(bytes).ok(),
            DbValue::Str(text) => serde_json::from_str(text).ok(),
            _ => None,
        }
    }
}

impl Column for DateTime<Utc> {
    /// A `timestamp` in UTC: select a timestamptz as `created_at at time zone 'UTC' as created_at`.
    fn read(value: &DbValue) -> Option<Self> {
        let DbValue::Datetime((year, month, day, hour, minute, second, nanosecond)) = value else {
            return None;
        };
        let date = NaiveDate::from_ymd_opt(*year, u32::from(*month), u32::from(*day))?;
        let (hour, minute, second) = (u32::from(*hour), u32::from(*minute), u32::from(*second));
        date.and_hms_nano_opt(hour, minute, second, *nanosecond).map(|time| time.and_utc())
    }
}

impl Column for Vec<i64> {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::ArrayInt64(values) => values.iter().copied().collect(),
            _ => None,
        }
    }
}

impl Column for Vec<String> {
    fn read(value: &DbValue) -> Option<Self> {
        match value {
            DbValue::ArrayStr(values) => values.iter().cloned().collect(),
            _ => None,
        }
    }
}

/// ` and column = $n::type` where there is a value, which becomes the next parameter, else nothing. A condition of its own serves itself of an
/// index, which `$n is null or column = $n` does not.
pub fn and_equal(
    params: &mut Vec<ParameterValue>,
    column: &str,
    sql_type: &str,
    value: Option<impl Into<ParameterValue>>,
) -> String {
    let Some(value) = value else { return String::new() };
    params.push(value.into());
    format!(" and {column} = ${}::{sql_type}", params.len())
}

/// A text as a parameter.
pub fn text(value: &str) -> ParameterValue {
    value.to_owned().into()
}

/// Every row as what it stands for.
pub fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T, SqlError>) -> Result<Vec<T>, SqlError> {
    rows.iter().map(read).collect()
}

/// A moment as a parameter; write `($1::timestamp at time zone 'UTC')` in the statement.
pub fn moment(time: DateTime<Utc>) -> ParameterValue {
    time.naive_utc().into()
}

/// A UUID as a parameter. The text must be a sound UUID.
pub fn uuid(text: impl Into<String>) -> ParameterValue {
    ParameterValue::Uuid(text.into())
}

/// Any value as a JSONB parameter.
pub fn jsonb(value: &impl serde::Serialize) -> ParameterValue {
    ParameterValue::Jsonb(serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec()))
}

impl From<spin_sdk::pg::Error> for SqlError {
    fn from(error: spin_sdk::pg::Error) -> Self {
        match error {
            spin_sdk::pg::Error::PgError(error) => error.into(),
            other => SqlError::Failed(other.to_string()),
        }
    }
}

impl From<PgError> for SqlError {
    fn from(error: PgError) -> Self {
        match error {
            PgError::ConnectionFailed(text) => SqlError::Unavailable(text),
            PgError::QueryFailed(QueryError::DbError(error)) => from_database(&error),
            PgError::QueryFailed(QueryError::Text(text))
            | PgError::BadParameter(text)
            | PgError::ValueConversionFailed(text)
            | PgError::Other(text) => SqlError::Failed(text),
        }
    }
}

/// Sorts by SQLSTATE (PostgreSQL, appendix A).
fn from_database(error: &spin_sdk::pg::DbError) -> SqlError {
    let text = format!("{} {}", error.code, error.message);
    let temporary = ["08", "40", "53", "57", "58"];
    match error.code.get(..2) {
        Some("23") => SqlError::Constraint(constraint(error)),
        Some(class) if temporary.contains(&class) || error.code == "55P03" => SqlError::Unavailable(text),
        _ => SqlError::Failed(text),
    }
}

/// The constraint's name: a field of the error, or else what its message quotes last.
fn constraint(error: &spin_sdk::pg::DbError) -> String {
    let field = error.extras.iter().find(|(name, _)| name.starts_with("constraint"));
    if let Some((_, name)) = field {
        return name.clone();
    }
    let quoted = error.message.rsplit('"').nth(1);
    quoted.unwrap_or(&error.message).to_owned()
}
