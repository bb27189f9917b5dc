//! `spin:redis@3.0.0`. While one of its functions waits, the instance serves others.

use wasmtime::component::{Accessor, Resource};

use super::{
    Connection, Redis, RedisView,
    bindings::v3::spin::redis::redis::{
        Error, Host, HostConnection, HostConnectionWithStore, RedisParameter, RedisResult,
    },
};

impl Host for RedisView<'_> {}

impl HostConnection for RedisView<'_> {
    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}

/// The connection behind a guest's number.
fn found<T: Send + 'static>(
    accessor: &Accessor<T, Redis>,
    connection: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| access.get().connection(connection))
}

impl<T: Send + 'static> HostConnectionWithStore<T> for Redis {
    async fn open(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| Ok(access.get().open(&address)?.map_err(Error::from)))
    }

    async fn publish(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(found(accessor, &connection)?.publish(&channel, &payload).await.map_err(Error::from))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(found(accessor, &connection)?.get(&key).await.map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(found(accessor, &connection)?.set(&key, &value).await.map_err(Error::from))
    }

    async fn incr(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> wasmtime::Result<Result<i64, Error>> {
        Ok(found(accessor, &connection)?.incr(&key).await.map_err(Error::from))
    }

    async fn del(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(found(accessor, &connection)?.del(&keys).await.map_err(Error::from))
    }

    async fn sadd(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(found(accessor, &connection)?.sadd(&key, &values).await.map_err(Error::from))
    }

    async fn smembers(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
    ) -> wasmtime::Result<Result<Vec<String>, Error>> {
        Ok(found(accessor, &connection)?.smembers(&key).await.map_err(Error::from))
    }

    async fn srem(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(found(accessor, &connection)?.srem(&key, &values).await.map_err(Error::from))
    }

    async fn execute(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> wasmtime::Result<Result<Vec<RedisResult>, Error>> {
        Ok(found(accessor, &connection)?.execute(&command, &arguments).await.map_err(Error::from))
    }
}
