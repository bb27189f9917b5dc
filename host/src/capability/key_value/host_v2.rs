//! `fermyon:spin/key-value@2.0.0`. Its functions are not async, so each holds its instance while it waits.

use wasmtime::component::Resource;

use super::{
    KeyValueView, Store,
    bindings::v2::fermyon::spin::key_value::{Error, Host, HostStore},
};

impl Host for KeyValueView<'_> {}

impl HostStore for KeyValueView<'_> {
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        Ok(KeyValueView::open(self, &label)?.map_err(Error::from))
    }

    async fn get(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self.store(&store)?.get(key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&store)?.set(key, value).await.map_err(Error::from))
    }

    async fn delete(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&store)?.delete(key).await.map_err(Error::from))
    }

    async fn exists(&mut self, store: Resource<Store>, key: String) -> wasmtime::Result<Result<bool, Error>> {
        Ok(self.store(&store)?.exists(key).await.map_err(Error::from))
    }

    async fn get_keys(&mut self, store: Resource<Store>) -> wasmtime::Result<Result<Vec<String>, Error>> {
        Ok(self.store(&store)?.keys().await.map_err(Error::from))
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.close(store).map(drop)
    }
}
