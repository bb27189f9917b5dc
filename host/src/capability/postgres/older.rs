//! What the interfaces before 4.0.0 have in common: the same functions over other types.

use super::connection::Connection;
use super::{Column, DbValue, Error, ParameterValue, PostgresView};
use wasmtime::component::Resource;

/// Columns and rows in an older interface's types.
type Answer<C, V> = (Vec<C>, Vec<Vec<V>>);

impl PostgresView<'_> {
    /// Runs a query with and into the types of an older interface.
    pub(super) async fn query_as<P, C, V, E>(
        &mut self,
        connection: &Resource<Connection>,
        statement: &str,
        parameters: Vec<P>,
    ) -> wasmtime::Result<Result<Answer<C, V>, E>>
    where
        ParameterValue: From<P>,
        C: From<Column>,
        V: From<DbValue>,
        E: From<Error>,
    {
        let connection = self.connection(connection)?;
        let parameters: Vec<ParameterValue> = parameters.into_iter().map(ParameterValue::from).collect();
        let rows = match connection.query(statement, &parameters).await {
            Ok(rows) => rows,
            Err(failure) => return Ok(Err(E::from(*failure))),
        };
        let values = |row: Vec<DbValue>| row.into_iter().map(V::from).collect();
        Ok(Ok((rows.columns.into_iter().map(C::from).collect(), rows.first.into_iter().map(values).collect())))
    }

    /// Runs a statement with the types of an older interface.
    pub(super) async fn execute_as<P, E>(
        &mut self,
        connection: &Resource<Connection>,
        statement: &str,
        parameters: Vec<P>,
    ) -> wasmtime::Result<Result<u64, E>>
    where
        ParameterValue: From<P>,
        E: From<Error>,
    {
        let connection = self.connection(connection)?;
        let parameters: Vec<ParameterValue> = parameters.into_iter().map(ParameterValue::from).collect();
        Ok(connection.execute(statement, &parameters).await.map_err(|failure| E::from(*failure)))
    }
}
