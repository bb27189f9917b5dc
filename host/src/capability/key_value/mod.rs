//! Key-value stores for guests: `spin:key-value@3.0.0`, `fermyon:spin/key-value@2.0.0` and `wasi:keyvalue@0.2.0-draft2`, over
//! SQLite, a Redis server, or the host's own PostgreSQL.
//!
//! Three lifetimes: the [`Stores`] of an application, each in a file that is opened once, or on a server; what a component is [`Granted`] of
//! them; a [`Store`] per guest handle. A component sees the keys of the stores that its manifest grants, and shares them
//! with every other component that is granted the same one.
//!
//! SQLite blocks, so it works on threads of its own; one statement reads and one writes at a time, in the order in which
//! they came. The table is Spin's, so that a file made by Spin goes on here, and one made here under Spin.

mod bindings;
mod failure;
mod file;
mod host_draft;
mod host_v2;
mod host_v3;
mod in_file;
mod in_postgres;
mod redis;
mod store;
mod stores;
mod swap;

#[cfg(test)]
mod tests;

pub use self::{
    failure::Failure,
    in_postgres::SharedRows,
    store::Store,
    stores::{Granted, Stores, StoresError},
};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::limits::KEY_VALUE_OPEN_HANDLES;

/// What one store of wasmtime holds of this capability.
pub struct KeyValueContext {
    granted: Granted,
    open: usize,
}

impl KeyValueContext {
    /// A context for an instance of a component that is granted these stores.
    pub fn new(granted: Granted) -> Self {
        Self { granted, open: 0 }
    }
}

/// The parts of a store's data that the host functions work on.
pub struct KeyValueView<'a> {
    /// What the component is granted.
    pub ctx: &'a mut KeyValueContext,
    /// Where the guest's handles live.
    pub table: &'a mut ResourceTable,
}

/// Defines every interface in `linker`. `view` finds this capability's parts in the store's data.
///
/// # Errors
/// If one of the names is defined already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    bindings::v2::fermyon::spin::key_value::add_to_linker::<T, KeyValue>(linker, view)?;
    bindings::v3::spin::key_value::key_value::add_to_linker::<T, KeyValue>(linker, view)?;
    bindings::draft::wasi::keyvalue::store::add_to_linker::<T, KeyValue>(linker, view)?;
    bindings::draft::wasi::keyvalue::atomics::add_to_linker::<T, KeyValue>(linker, view)?;
    bindings::draft::wasi::keyvalue::batch::add_to_linker::<T, KeyValue>(linker, view)
}

impl KeyValueView<'_> {
    /// A handle of the store that the manifest calls `label`.
    fn open(&mut self, label: &str) -> wasmtime::Result<Result<Resource<Store>, Failure>> {
        let Some(store) = self.ctx.granted.get(label) else { return Ok(Err(Failure::NotGranted)) };
        let store = store.clone();
        self.hold(store)
    }

    /// The store behind a guest's number.
    fn store(&self, handle: &Resource<Store>) -> wasmtime::Result<Store> {
        Ok(self.table.get(handle)?.clone())
    }

    /// A handle of something, unless the instance holds too many.
    fn hold<R: Send + 'static>(&mut self, held: R) -> wasmtime::Result<Result<Resource<R>, Failure>> {
        if self.ctx.open >= KEY_VALUE_OPEN_HANDLES {
            return Ok(Err(Failure::TooManyOpen));
        }
        let handle = self.table.push(held)?;
        self.ctx.open += 1;
        Ok(Ok(handle))
    }

    /// Takes back what a handle stood for.
    fn close<R: Send + 'static>(&mut self, handle: Resource<R>) -> wasmtime::Result<R> {
        let held = self.table.delete(handle)?;
        self.ctx.open = self.ctx.open.saturating_sub(1);
        Ok(held)
    }
}

/// Ties [`KeyValueView`] to the generated traits.
struct KeyValue;

impl HasData for KeyValue {
    type Data<'a> = KeyValueView<'a>;
}
