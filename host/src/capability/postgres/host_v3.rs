//! `spin:postgres@3.0.0`: what 4.2.0 has beyond it arrives as `other` and `unsupported`.

use super::bindings::v3::spin::postgres::postgres as v3;
use super::connection::Connection;
use super::{Column, DbDataType, DbValue, Error, ParameterValue, PostgresView, QueryError};
use wasmtime::component::Resource;

impl v3::Host for PostgresView<'_> {}

impl v3::HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, v3::Error>> {
        Ok(self.open_connection(&address)?.map_err(v3::Error::from))
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v3::ParameterValue>,
    ) -> wasmtime::Result<Result<v3::RowSet, v3::Error>> {
        let answer = self.query_as(&connection, &statement, parameters).await?;
        Ok(answer.map(|(columns, rows)| v3::RowSet { columns, rows }))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v3::ParameterValue>,
    ) -> wasmtime::Result<Result<u64, v3::Error>> {
        self.execute_as(&connection, &statement, parameters).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl From<v3::ParameterValue> for ParameterValue {
    fn from(value: v3::ParameterValue) -> Self {
        match value {
            v3::ParameterValue::Boolean(v) => Self::Boolean(v),
            v3::ParameterValue::Int8(v) => Self::Int8(v),
            v3::ParameterValue::Int16(v) => Self::Int16(v),
            v3::ParameterValue::Int32(v) => Self::Int32(v),
            v3::ParameterValue::Int64(v) => Self::Int64(v),
            v3::ParameterValue::Floating32(v) => Self::Floating32(v),
            v3::ParameterValue::Floating64(v) => Self::Floating64(v),
            v3::ParameterValue::Str(v) => Self::Str(v),
            v3::ParameterValue::Binary(v) => Self::Binary(v),
            v3::ParameterValue::Date(v) => Self::Date(v),
            v3::ParameterValue::Time(v) => Self::Time(v),
            v3::ParameterValue::Datetime(v) => Self::Datetime(v),
            v3::ParameterValue::Timestamp(v) => Self::Timestamp(v),
            v3::ParameterValue::DbNull => Self::DbNull,
        }
    }
}

impl From<DbValue> for v3::DbValue {
    fn from(value: DbValue) -> Self {
        match value {
            DbValue::Boolean(v) => Self::Boolean(v),
            DbValue::Int8(v) => Self::Int8(v),
            DbValue::Int16(v) => Self::Int16(v),
            DbValue::Int32(v) => Self::Int32(v),
            DbValue::Int64(v) => Self::Int64(v),
            DbValue::Floating32(v) => Self::Floating32(v),
            DbValue::Floating64(v) => Self::Floating64(v),
            DbValue::Str(v) => Self::Str(v),
            DbValue::Binary(v) => Self::Binary(v),
            DbValue::Date(v) => Self::Date(v),
            DbValue::Time(v) => Self::Time(v),
            DbValue::Datetime(v) => Self::Datetime(v),
            DbValue::Timestamp(v) => Self::Timestamp(v),
            DbValue::DbNull => Self::DbNull,
            _ => Self::Unsupported,
        }
    }
}

impl From<Column> for v3::Column {
    fn from(column: Column) -> Self {
        let data_type = match column.data_type {
            DbDataType::Boolean => v3::DbDataType::Boolean,
            DbDataType::Int8 => v3::DbDataType::Int8,
            DbDataType::Int16 => v3::DbDataType::Int16,
            DbDataType::Int32 => v3::DbDataType::Int32,
            DbDataType::Int64 => v3::DbDataType::Int64,
            DbDataType::Floating32 => v3::DbDataType::Floating32,
            DbDataType::Floating64 => v3::DbDataType::Floating64,
            DbDataType::Str => v3::DbDataType::Str,
            DbDataType::Binary => v3::DbDataType::Binary,
            DbDataType::Date => v3::DbDataType::Date,
            DbDataType::Time => v3::DbDataType::Time,
            DbDataType::Datetime => v3::DbDataType::Datetime,
            DbDataType::Timestamp => v3::DbDataType::Timestamp,
            _ => v3::DbDataType::Other,
        };
        Self { name: column.name, data_type }
    }
}

impl From<Error> for v3::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::ConnectionFailed(message) => Self::ConnectionFailed(message),
            Error::BadParameter(message) => Self::BadParameter(message),
            Error::QueryFailed(QueryError::Text(message)) => Self::QueryFailed(message),
            Error::QueryFailed(QueryError::DbError(error)) => Self::QueryFailed(error.as_text),
            Error::ValueConversionFailed(message) => Self::ValueConversionFailed(message),
            Error::Other(message) => Self::Other(message),
        }
    }
}
