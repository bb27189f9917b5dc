//! `spin:postgres@4.2.0`, which serves 4.0.0 and 4.1.0 too.

use super::bindings::v4::spin::postgres::postgres::{
    Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore, HostConnectionWithStore, RowSet,
};
use super::connection::Connection;
use super::failure::Failure;
use super::rows::Rows;
use super::{Column, Error, ParameterValue, Postgres, PostgresView, Row};
use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

/// A handle's address and options before it is opened.
pub struct ConnectionBuilder {
    address: String,
    ca_root: Option<String>,
}

/// Columns, rows, and how it ended.
type Answer = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

impl Host for PostgresView<'_> {}

impl HostConnectionBuilder for PostgresView<'_> {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder { address, ca_root: None })?)
    }

    async fn set_ca_root(
        &mut self,
        builder: Resource<ConnectionBuilder>,
        certificate: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        if !certificate.contains("-----BEGIN CERTIFICATE-----") {
            let message = "the root certificate is not PEM text (-----BEGIN CERTIFICATE----- …)";
            return Ok(Err(Error::Other(message.to_owned())));
        }
        self.table.get_mut(&builder)?.ca_root = Some(certificate);
        Ok(Ok(()))
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let ConnectionBuilder { address, ca_root } = self.table.get(&builder)?;
        let opened = Connection::open(&self.ctx.pools, address, ca_root.as_deref());
        self.push_connection(opened)
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl HostConnection for PostgresView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        self.open_connection(&address)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        let connection = self.connection(&connection)?;
        let answer = connection.query(&statement, &parameters).await.map_err(|failure| *failure);
        Ok(answer.map(|rows| RowSet { columns: rows.columns, rows: rows.first }))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let connection = self.connection(&connection)?;
        Ok(connection.execute(&statement, &parameters).await.map_err(|failure| *failure))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: Send + 'static> HostConnectionBuilderWithStore<T> for Postgres {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| {
            let mut view = access.get();
            let ConnectionBuilder { address, ca_root } = view.table.get(&builder)?;
            let opened = Connection::open(&view.ctx.pools, address, ca_root.as_deref());
            view.push_connection(opened)
        })
    }
}

impl<T: Send + 'static> HostConnectionWithStore<T> for Postgres {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| access.get().open_connection(&address))
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<Answer, Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        match connection.query_stream(statement, parameters).await {
            Ok(rows) => accessor.with(|access| hand_over(access, rows)).map(Ok),
            Err(failure) => Ok(Err(*failure)),
        }
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        let connection = accessor.with(|mut access| access.get().connection(&connection))?;
        Ok(connection.execute(&statement, &parameters).await.map_err(|failure| *failure))
    }
}

impl PostgresView<'_> {
    /// Opens a handle without options.
    pub(super) fn open_connection(&mut self, address: &str) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let opened = Connection::open(&self.ctx.pools, address, None);
        self.push_connection(opened)
    }

    /// The handle behind a guest's number.
    pub(super) fn connection(&self, connection: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(connection)?.clone())
    }

    fn push_connection(
        &mut self,
        opened: Result<Connection, Failure>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        match opened {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(failure) => Ok(Err(*failure)),
        }
    }
}

/// Makes a guest's stream of rows and its ending.
fn hand_over<T: Send + 'static>(mut access: Access<'_, T, Postgres>, rows: Rows) -> wasmtime::Result<Answer> {
    let Rows { columns, first, rest } = rows;
    let (stream, ending) = match rest {
        None => {
            let ending = std::future::ready(Ok::<Result<(), Error>, wasmtime::Error>(Ok(())));
            (StreamReader::new(&mut access, first)?, FutureReader::new(&mut access, ending)?)
        }
        Some(rest) => {
            let (producer, ended) = rest.into_parts(first);
            let ending = async move { Ok::<_, wasmtime::Error>(ended.await.map_err(|failure| *failure)) };
            (StreamReader::new(&mut access, producer)?, FutureReader::new(&mut access, ending)?)
        }
    };
    Ok((columns, stream, ending))
}
