//! SQLite databases for guests: `spin:sqlite@3.1.0` and `fermyon:spin/sqlite@2.0.0`.
//!
//! Three lifetimes: the [`Databases`] of an application, what a component is [`Granted`] of them, and a [`Connection`] per
//! guest handle, which is a connection of SQLite, so that a transaction belongs to one handle. When the handle goes, with
//! its instance at the latest, what it was doing is stopped and its transaction rolled back. A statement without end is
//! stopped about when its request is over (`brake.rs`), even if its instance goes on for the sake of others: they may be waiting
//! for what it holds.
//!
//! SQLite blocks, so it works on threads of its own. What a statement may do is judged before it runs (`guard.rs`): it sees its
//! own database, no other file, and cannot lift a bound.
//!
//! The interface 3.1.0 also serves guests that ask for 3.0.0: it only adds to it.

mod bindings;
mod brake;
mod connection;
mod databases;
mod failure;
mod guard;
mod host_v2;
mod host_v3;
mod query;
mod rows;

#[cfg(test)]
mod tests;

pub use self::{
    bindings::v3::spin::sqlite::sqlite::{QueryResult, RowResult, Value},
    connection::Connection,
    databases::{Bounds, Database, Databases, DatabasesError, Granted},
    failure::Failure,
};

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::limits::SQLITE_OPEN_CONNECTIONS;

/// What one store holds of this capability.
pub struct SqliteContext {
    granted: Granted,
    open: usize,
}

impl SqliteContext {
    /// A context for an instance of a component that is granted these databases.
    pub fn new(granted: Granted) -> Self {
        Self { granted, open: 0 }
    }
}

/// The parts of a store's data that the host functions work on.
pub struct SqliteView<'a> {
    /// What the component is granted.
    pub ctx: &'a mut SqliteContext,
    /// Where the guest's connection handles live.
    pub table: &'a mut ResourceTable,
}

/// Defines every version of the interface in `linker`. `view` finds this capability's parts in the store's data.
///
/// # Errors
/// If one of the names is defined already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> SqliteView<'_>,
) -> wasmtime::Result<()> {
    bindings::v2::fermyon::spin::sqlite::add_to_linker::<T, Sqlite>(linker, view)?;
    bindings::v3::spin::sqlite::sqlite::add_to_linker::<T, Sqlite>(linker, view)
}

impl SqliteView<'_> {
    /// The database that the manifest calls so.
    fn database(&self, label: &str) -> Result<Database, Failure> {
        self.ctx.granted.get(label).cloned().ok_or(Failure::NotGranted)
    }

    /// A handle of a connection, unless the instance holds too many.
    fn hold(&mut self, connection: Connection) -> wasmtime::Result<Result<Resource<Connection>, Failure>> {
        if self.ctx.open >= SQLITE_OPEN_CONNECTIONS {
            return Ok(Err(Failure::TooManyOpen));
        }
        let handle = self.table.push(connection)?;
        self.ctx.open += 1;
        Ok(Ok(handle))
    }

    /// The connection behind a guest's number.
    fn connection(&self, handle: &Resource<Connection>) -> wasmtime::Result<Connection> {
        Ok(self.table.get(handle)?.clone())
    }

    fn close(&mut self, handle: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        self.ctx.open = self.ctx.open.saturating_sub(1);
        Ok(())
    }
}

/// Ties [`SqliteView`] to the generated traits.
struct Sqlite;

impl HasData for Sqlite {
    type Data<'a> = SqliteView<'a>;
}
