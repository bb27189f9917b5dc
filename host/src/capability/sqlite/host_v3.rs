//! `spin:sqlite@3.1.0`, which serves 3.0.0 too. While one of its async functions waits, the instance serves others.

use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

use super::{
    Connection, Failure, QueryResult, RowResult, Sqlite, SqliteView, Value,
    bindings::v3::spin::sqlite::sqlite::{Error, Host, HostConnection, HostConnectionWithStore},
};

/// Columns, rows, and how it ended.
type Answer = (Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>);

impl Host for SqliteView<'_> {}

impl HostConnection for SqliteView<'_> {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(self.open_connection(&database).await?.map_err(Error::from))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        Ok(self.connection(&connection)?.execute(statement, parameters).await.map_err(Error::from))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.connection(&connection)?.last_insert_rowid().await)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.connection(&connection)?.changes().await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for Sqlite {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let opened = match accessor.with(|mut access| access.get().database(&database)) {
            Ok(database) => Connection::open(database).await,
            Err(failure) => Err(failure),
        };
        match opened {
            Ok(connection) => {
                let held = accessor.with(|mut access| access.get().hold(connection))?;
                Ok(held.map_err(Error::from))
            }
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Answer, Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        let streamed = match connection.stream(statement, parameters).await {
            Ok(streamed) => streamed,
            Err(failure) => return Ok(Err(failure.into())),
        };
        accessor.with(|mut access| {
            let columns = streamed.columns.clone();
            let (rows, ended) = streamed.into_parts();
            let ended = async move { Ok::<_, wasmtime::Error>(ended.await.map_err(Error::from)) };
            Ok(Ok((columns, StreamReader::new(&mut access, rows)?, FutureReader::new(&mut access, ended)?)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.last_insert_rowid().await)
    }

    async fn changes_async(accessor: &Accessor<T, Self>, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.changes().await)
    }
}

impl SqliteView<'_> {
    /// Opens a connection while the instance waits.
    pub(super) async fn open_connection(
        &mut self,
        database: &str,
    ) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        let opened = match self.database(database) {
            Ok(database) => Connection::open(database).await,
            Err(failure) => Err(failure),
        };
        match opened {
            Ok(connection) => self.hold(connection),
            Err(failure) => Ok(Err(failure)),
        }
    }
}
