//! `fermyon:spin/redis@2.0.0`. Its functions are not async, so each holds its instance while it waits.

use wasmtime::component::Resource;

use super::{
    Connection, RedisView,
    bindings::v2::fermyon::spin::redis::{Error, Host, HostConnection, RedisParameter, RedisResult},
};

impl Host for RedisView<'_> {}

impl HostConnection for RedisView<'_> {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(RedisView::open(self, &address)?.map_err(Error::from))
    }

    async fn publish(
        &mut self,
        connection: Resource<Connection>,
        channel: String,
        payload: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.connection(&connection)?.publish(&channel, &payload).await.map_err(Error::from))
    }

    async fn get(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self.connection(&connection)?.get(&key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.connection(&connection)?.set(&key, &value).await.map_err(Error::from))
    }

    async fn incr(&mut self, connection: Resource<Connection>, key: String) -> wasmtime::Result<Result<i64, Error>> {
        Ok(self.connection(&connection)?.incr(&key).await.map_err(Error::from))
    }

    async fn del(
        &mut self,
        connection: Resource<Connection>,
        keys: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(self.connection(&connection)?.del(&keys).await.map_err(Error::from))
    }

    async fn sadd(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(self.connection(&connection)?.sadd(&key, &values).await.map_err(Error::from))
    }

    async fn smembers(
        &mut self,
        connection: Resource<Connection>,
        key: String,
    ) -> wasmtime::Result<Result<Vec<String>, Error>> {
        Ok(self.connection(&connection)?.smembers(&key).await.map_err(Error::from))
    }

    async fn srem(
        &mut self,
        connection: Resource<Connection>,
        key: String,
        values: Vec<String>,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(self.connection(&connection)?.srem(&key, &values).await.map_err(Error::from))
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> wasmtime::Result<Result<Vec<RedisResult>, Error>> {
        let arguments: Vec<_> = arguments.into_iter().map(From::from).collect();
        let results = self.connection(&connection)?.execute(&command, &arguments).await;
        Ok(results.map(|parts| parts.into_iter().map(RedisResult::from).collect()).map_err(Error::from))
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.close(connection)
    }
}
