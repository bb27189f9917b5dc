//! `fermyon:spin/sqlite@2.0.0`. Its functions are not async, so each holds its instance while it waits.

use wasmtime::component::Resource;

use super::{
    Connection, SqliteView, Value,
    bindings::v2::fermyon::spin::sqlite::{self as v2, Error, Host, HostConnection, QueryResult, RowResult},
};

impl Host for SqliteView<'_> {}

impl HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(self.open_connection(&database).await?.map_err(Error::from))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<v2::Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let parameters = parameters.into_iter().map(Value::from).collect();
        let result = self.connection(&connection)?.execute(statement, parameters).await;
        let row = |row: super::RowResult| RowResult { values: row.values.into_iter().map(v2::Value::from).collect() };
        let result =
            result.map(|found| QueryResult { columns: found.columns, rows: found.rows.into_iter().map(row).collect() });
        Ok(result.map_err(Error::from))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}

impl From<v2::Value> for Value {
    fn from(value: v2::Value) -> Self {
        match value {
            v2::Value::Integer(number) => Self::Integer(number),
            v2::Value::Real(number) => Self::Real(number),
            v2::Value::Text(text) => Self::Text(text),
            v2::Value::Blob(blob) => Self::Blob(blob),
            v2::Value::Null => Self::Null,
        }
    }
}

impl From<Value> for v2::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(number),
            Value::Real(number) => Self::Real(number),
            Value::Text(text) => Self::Text(text),
            Value::Blob(blob) => Self::Blob(blob),
            Value::Null => Self::Null,
        }
    }
}
