//! Everything that the host itself offers to guests, in one linker.

use wasmtime::component::Linker;

use crate::{
    capability::{postgres, postgres::PostgresView, stdio, stdio::StdioView, variables},
    guest::Guest,
};

/// A linker with every interface the host serves.
///
/// # Errors
/// When two capabilities define the same name.
pub fn host_interfaces(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    stdio::add_to_linker(
        &mut linker,
        |guest: &mut Guest| StdioView { table: &mut guest.table, current: &guest.printing, requests: &guest.requests },
        wasmtime_wasi::cli::WasiCliView::cli,
    )?;
    variables::add_to_linker(&mut linker, |guest: &mut Guest| &guest.variables)?;
    postgres::add_to_linker(&mut linker, |guest: &mut Guest| PostgresView {
        ctx: &mut guest.postgres,
        table: &mut guest.table,
    })?;
    Ok(linker)
}
