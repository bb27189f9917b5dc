//! `wasi:keyvalue@0.2.0-draft2`. Its functions are not async, so each holds its instance while it waits.

use wasmtime::component::Resource;

use super::{
    KeyValueView, Store,
    bindings::draft::wasi::keyvalue::{
        atomics::{self, CasError},
        batch,
        store::{self, Error, KeyResponse},
    },
    store::Found,
    swap::Remembered,
};

impl store::Host for KeyValueView<'_> {
    async fn open(&mut self, identifier: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        Ok(KeyValueView::open(self, &identifier)?.map_err(Error::from))
    }
}

impl store::HostBucket for KeyValueView<'_> {
    async fn get(&mut self, bucket: Resource<Store>, key: String) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self.store(&bucket)?.get(key).await.map_err(Error::from))
    }

    async fn set(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&bucket)?.set(key, value).await.map_err(Error::from))
    }

    async fn delete(&mut self, bucket: Resource<Store>, key: String) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&bucket)?.delete(key).await.map_err(Error::from))
    }

    async fn exists(&mut self, bucket: Resource<Store>, key: String) -> wasmtime::Result<Result<bool, Error>> {
        Ok(self.store(&bucket)?.exists(key).await.map_err(Error::from))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Store>,
        cursor: Option<String>,
    ) -> wasmtime::Result<Result<KeyResponse, Error>> {
        let page = self.store(&bucket)?.page(cursor).await;
        Ok(page.map(|page| KeyResponse { keys: page.keys, cursor: page.cursor }).map_err(Error::from))
    }

    async fn drop(&mut self, bucket: Resource<Store>) -> wasmtime::Result<()> {
        self.close(bucket).map(drop)
    }
}

impl batch::Host for KeyValueView<'_> {
    async fn get_many(&mut self, bucket: Resource<Store>, keys: Vec<String>) -> wasmtime::Result<Result<Found, Error>> {
        Ok(self.store(&bucket)?.get_many(keys).await.map_err(Error::from))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<Store>,
        entries: Vec<(String, Vec<u8>)>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&bucket)?.set_many(entries).await.map_err(Error::from))
    }

    async fn delete_many(&mut self, bucket: Resource<Store>, keys: Vec<String>) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.store(&bucket)?.delete_many(keys).await.map_err(Error::from))
    }
}

impl atomics::Host for KeyValueView<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<Store>,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, Error>> {
        Ok(self.store(&bucket)?.increment(key, delta).await.map_err(Error::from))
    }

    async fn swap(
        &mut self,
        remembered: Resource<Remembered>,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), CasError>> {
        let remembered = self.close(remembered)?;
        Ok(match remembered.swap(value).await {
            Ok(None) => Ok(()),
            Ok(Some(changed)) => match self.hold(changed)? {
                Ok(changed) => Err(CasError::CasFailed(changed)),
                Err(failure) => Err(CasError::StoreError(failure.into())),
            },
            Err(failure) => Err(CasError::StoreError(failure.into())),
        })
    }
}

impl atomics::HostCas for KeyValueView<'_> {
    async fn new(
        &mut self,
        bucket: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Resource<Remembered>, Error>> {
        match Remembered::new(self.store(&bucket)?, key).await {
            Ok(remembered) => Ok(self.hold(remembered)?.map_err(Error::from)),
            Err(failure) => Ok(Err(failure.into())),
        }
    }

    async fn current(&mut self, remembered: Resource<Remembered>) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let (store, key) = self.table.get(&remembered)?.place();
        let value = match store.get(key).await {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure.into())),
        };
        self.table.get_mut(&remembered)?.see(value.as_deref());
        Ok(Ok(value))
    }

    async fn drop(&mut self, remembered: Resource<Remembered>) -> wasmtime::Result<()> {
        self.close(remembered).map(drop)
    }
}
