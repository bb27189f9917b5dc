//! `spin:key-value@3.0.0`. While one of its functions waits, the instance serves others.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::sync::{mpsc, oneshot};
use wasmtime::{
    StoreContextMut,
    component::{Accessor, Destination, FutureReader, Resource, StreamProducer, StreamReader, StreamResult, VecBuffer},
};

use super::{
    Failure, KeyValue, KeyValueView, Store,
    bindings::v3::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore},
};

impl Host for KeyValueView<'_> {}

impl HostStore for KeyValueView<'_> {
    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.close(store).map(drop)
    }
}

/// All keys, and whether these really were all.
type Keys = (StreamReader<String>, FutureReader<Result<(), Error>>);

impl<T: Send + 'static> HostStoreWithStore<T> for KeyValue {
    async fn open(accessor: &Accessor<T, Self>, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        accessor.with(|mut access| Ok(access.get().open(&label)?.map_err(Error::from)))
    }

    async fn get(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        let store = accessor.with(|mut access| access.get().store(&store))?;
        Ok(store.get(key).await.map_err(Error::from))
    }

    async fn set(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = accessor.with(|mut access| access.get().store(&store))?;
        Ok(store.set(key, value).await.map_err(Error::from))
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        let store = accessor.with(|mut access| access.get().store(&store))?;
        Ok(store.delete(key).await.map_err(Error::from))
    }

    async fn exists(
        accessor: &Accessor<T, Self>,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        let store = accessor.with(|mut access| access.get().store(&store))?;
        Ok(store.exists(key).await.map_err(Error::from))
    }

    async fn get_keys(accessor: &Accessor<T, Self>, store: Resource<Store>) -> wasmtime::Result<Keys> {
        accessor.with(|mut access| {
            let store = access.get().store(&store)?;
            let (sender, pages) = mpsc::channel(1);
            let (ending, ended) = oneshot::channel();
            tokio::spawn(async move { _ = ending.send(send_all(&store, &sender).await) });
            let ended = async move {
                let outcome = ended.await.unwrap_or(Err(Failure::Broken));
                Ok::<_, wasmtime::Error>(outcome.map_err(Error::from))
            };
            Ok((StreamReader::new(&mut access, KeyProducer(pages))?, FutureReader::new(&mut access, ended)?))
        })
    }
}

/// Sends page after page, as fast as they are taken, until nobody takes them.
async fn send_all(store: &Store, pages: &mpsc::Sender<Vec<String>>) -> Result<(), Failure> {
    let mut cursor = None;
    loop {
        let page = store.page(cursor).await?;
        cursor = page.cursor;
        // A stream that hands over nothing counts as a fault of the host.
        let taken = page.keys.is_empty() || pages.send(page.keys).await.is_ok();
        if !taken || cursor.is_none() {
            return Ok(());
        }
    }
}

/// Feeds a guest's stream.
struct KeyProducer(mpsc::Receiver<Vec<String>>);

impl<D> StreamProducer<D> for KeyProducer {
    type Item = String;
    type Buffer = VecBuffer<String>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _store: StoreContextMut<'a, D>,
        mut destination: Destination<'a, String, VecBuffer<String>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        let page = match self.0.poll_recv(context) {
            Poll::Pending if finish => return Poll::Ready(Ok(StreamResult::Cancelled)),
            polled => ready!(polled),
        };
        Poll::Ready(Ok(match page {
            Some(keys) => {
                destination.set_buffer(keys.into());
                StreamResult::Completed
            }
            None => StreamResult::Dropped,
        }))
    }
}
