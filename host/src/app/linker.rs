//! Everything that the host itself offers to guests, in one linker.

use wasmtime::component::Linker;

use crate::{
    capability::{outbound_http, postgres, postgres::PostgresView, stdio, stdio::StdioView, variables},
    guest::{self, Guest},
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
    outbound_http::add_to_linker(&mut linker, trace_outbound, wasmtime_wasi_http::WasiHttpView::http)?;
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

/// Has what a guest sends carry the trace of the request it serves.
fn trace_outbound(mut store: wasmtime::StoreContextMut<'_, Guest>) {
    let traceparent = guest::current_request(&mut store).and_then(|context| context.traceparent.clone());
    store.data_mut().outbound.set_traceparent(traceparent);
}
