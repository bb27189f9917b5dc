//! PostgreSQL for guests: `spin:postgres` in every version that Spin's SDKs 3 to 7 import, over sqlx.
//!
//! Three lifetimes: a [`Pools`] per component and core, a [`PostgresContext`] per store, a `Connection` per guest
//! handle. A guest's handle owns no database connection until it needs one: each statement takes one from the pool
//! and gives it back, and only a transaction, an open result stream or changed session state keeps it.
//! What was opened is rolled back or closed before anybody else gets the connection.
//!
//! Statements are prepared with the parameter types that the server infers, and kept on their connection; values
//! are then written in the server's type, as tokio-postgres does, so that a string serves as `uuid` or `jsonb` too.
//!
//! The interface 4.2.0 also serves guests that ask for 4.0.0 or 4.1.0: it only adds to them.

mod address;
mod bindings;
mod calendar;
mod composite;
mod connection;
mod decode;
mod encode;
mod environment;
mod failure;
mod host_v2;
mod host_v3;
mod host_v4;
mod lease;
mod older;
mod pool;
mod pools;
mod rows;
mod run;
mod sink;
mod statement;
mod value;

pub use self::bindings::v4::spin::postgres::postgres::{
    Column, DbDataType, DbError, DbValue, Error, Interval, ParameterValue, QueryError, RangeBoundKind,
};
pub use self::connection::Connection;
pub use self::environment::{Authorities, FOREIGN_VARIABLES};
pub use self::pools::{OwnServer, PoolSettings, Pools};
pub use self::rows::{Row, RowStream, Rows};

use wasmtime::component::{HasData, Linker, ResourceTable};

/// What one store holds of this capability.
#[derive(Clone)]
pub struct PostgresContext {
    pools: Pools,
}

impl PostgresContext {
    /// A context whose connections come from `pools`, which must belong to the core that runs the store.
    pub fn new(pools: Pools) -> Self {
        Self { pools }
    }
}

/// The parts of a store's data that the host functions work on.
pub struct PostgresView<'a> {
    /// The component's pools.
    pub ctx: &'a mut PostgresContext,
    /// Where the guest's connection handles live.
    pub table: &'a mut ResourceTable,
}

/// Defines every version of the interface in `linker`. `view` finds this capability's parts in the store's data.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> PostgresView<'_>,
) -> wasmtime::Result<()> {
    bindings::v2::fermyon::spin::rdbms_types::add_to_linker::<T, Postgres>(linker, view)?;
    bindings::v2::fermyon::spin::postgres::add_to_linker::<T, Postgres>(linker, view)?;
    bindings::v3::spin::postgres::postgres::add_to_linker::<T, Postgres>(linker, view)?;
    bindings::v4::spin::postgres::postgres::add_to_linker::<T, Postgres>(linker, view)
}

/// Ties [`PostgresView`] to the generated traits.
pub(crate) struct Postgres;

impl HasData for Postgres {
    type Data<'a> = PostgresView<'a>;
}
