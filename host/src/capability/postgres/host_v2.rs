//! `fermyon:spin/postgres@2.0.0`: its types are those of 3.0.0 without dates and times, and with unsigned integers.

use super::bindings::v2::fermyon::spin::{postgres as v2, rdbms_types as types};
use super::connection::Connection;
use super::{Column, DbDataType, DbValue, Error, ParameterValue, PostgresView, QueryError};
use wasmtime::component::Resource;

impl types::Host for PostgresView<'_> {}

impl v2::Host for PostgresView<'_> {}

impl v2::HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, types::Error>> {
        Ok(self.open_connection(&address)?.map_err(types::Error::from))
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<types::ParameterValue>,
    ) -> wasmtime::Result<Result<types::RowSet, types::Error>> {
        let answer = self.query_as(&connection, &statement, parameters).await?;
        Ok(answer.map(|(columns, rows)| types::RowSet { columns, rows }))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<types::ParameterValue>,
    ) -> wasmtime::Result<Result<u64, types::Error>> {
        self.execute_as(&connection, &statement, parameters).await
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl From<types::ParameterValue> for ParameterValue {
    fn from(value: types::ParameterValue) -> Self {
        match value {
            types::ParameterValue::Boolean(v) => Self::Boolean(v),
            types::ParameterValue::Int8(v) => Self::Int8(v),
            types::ParameterValue::Int16(v) => Self::Int16(v),
            types::ParameterValue::Int32(v) => Self::Int32(v),
            types::ParameterValue::Int64(v) => Self::Int64(v),
            types::ParameterValue::Uint8(v) => Self::Int16(i16::from(v)),
            types::ParameterValue::Uint16(v) => Self::Int32(i32::from(v)),
            types::ParameterValue::Uint32(v) => Self::Int64(i64::from(v)),
            // Postgres knows no unsigned integers; as a decimal every one of them fits where the column lets it.
            types::ParameterValue::Uint64(v) => {
                i64::try_from(v).map_or_else(|_| Self::Decimal(v.to_string()), Self::Int64)
            }
            types::ParameterValue::Floating32(v) => Self::Floating32(v),
            types::ParameterValue::Floating64(v) => Self::Floating64(v),
            types::ParameterValue::Str(v) => Self::Str(v),
            types::ParameterValue::Binary(v) => Self::Binary(v),
            types::ParameterValue::DbNull => Self::DbNull,
        }
    }
}

impl From<DbValue> for types::DbValue {
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
            DbValue::DbNull => Self::DbNull,
            _ => Self::Unsupported,
        }
    }
}

impl From<Column> for types::Column {
    fn from(column: Column) -> Self {
        let data_type = match column.data_type {
            DbDataType::Boolean => types::DbDataType::Boolean,
            DbDataType::Int8 => types::DbDataType::Int8,
            DbDataType::Int16 => types::DbDataType::Int16,
            DbDataType::Int32 => types::DbDataType::Int32,
            DbDataType::Int64 => types::DbDataType::Int64,
            DbDataType::Floating32 => types::DbDataType::Floating32,
            DbDataType::Floating64 => types::DbDataType::Floating64,
            DbDataType::Str => types::DbDataType::Str,
            DbDataType::Binary => types::DbDataType::Binary,
            _ => types::DbDataType::Other,
        };
        Self { name: column.name, data_type }
    }
}

impl From<Error> for types::Error {
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
