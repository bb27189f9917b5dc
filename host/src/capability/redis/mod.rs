//! Redis for guests: `spin:redis@3.0.0` and `fermyon:spin/redis@2.0.0`, over the crate `redis`.
//!
//! Three lifetimes: the [`Pools`] of a component on a core, a [`RedisContext`] per store, a `Connection` per guest handle. A guest's
//! handle owns no connection to the server until it needs one: each command takes one from the pool and gives it back. A command that
//! changes what others on the same connection would see (`SELECT`, `MULTI`, `WATCH` and so on) gives the handle one of its own, which
//! is closed with it.
//!
//! **Invariant:** a connection goes back to the pool only when no answer is on its way to it and its session is as it was.

mod bindings;
mod command;
mod commands;
mod connection;
mod failure;
mod host_v2;
mod host_v3;
mod pool;
mod pools;
mod value;

#[cfg(test)]
mod tests;

pub use self::{
    connection::Connection,
    pools::{PoolSettings, Pools},
};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use self::failure::Failure;
use crate::limits::REDIS_OPEN_HANDLES;

/// What one store holds of this capability.
pub struct RedisContext {
    pools: Pools,
    open: usize,
}

impl RedisContext {
    /// A context whose connections come from `pools`, which must belong to the core that runs the store.
    pub fn new(pools: Pools) -> Self {
        Self { pools, open: 0 }
    }
}

/// The parts of a store's data that the host functions work on.
pub struct RedisView<'a> {
    /// Where the instance's connections come from.
    pub ctx: &'a mut RedisContext,
    /// Where the guest's handles live.
    pub table: &'a mut ResourceTable,
}

/// Defines both interfaces in `linker`. `view` finds this capability's parts in the store's data.
///
/// # Errors
/// If one of the names is defined already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> RedisView<'_>,
) -> wasmtime::Result<()> {
    bindings::v2::fermyon::spin::redis::add_to_linker::<T, Redis>(linker, view)?;
    bindings::v3::spin::redis::redis::add_to_linker::<T, Redis>(linker, view)
}

impl RedisView<'_> {
    /// A handle for an address that is granted. Nothing is connected yet.
    fn open(&mut self, address: &str) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        if self.ctx.open >= REDIS_OPEN_HANDLES {
            return Ok(Err(Failure::TooManyConnections));
        }
        let connection = match self.ctx.pools.pool(address) {
            Ok(pool) => Connection::new(pool),
            Err(failure) => return Ok(Err(failure)),
        };
        let handle = self.table.push(connection)?;
        self.ctx.open += 1;
        Ok(Ok(handle))
    }

    /// The connection behind a guest's number.
    fn connection(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }

    /// Takes a handle back.
    fn close(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        self.ctx.open = self.ctx.open.saturating_sub(1);
        Ok(())
    }
}

/// Ties [`RedisView`] to the generated traits.
struct Redis;

impl HasData for Redis {
    type Data<'a> = RedisView<'a>;
}
