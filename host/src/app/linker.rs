//! Everything that the host itself offers to guests, in one linker.

use std::sync::Arc;

use wasmtime::component::Linker;
use wasmtime_wasi::sockets::WasiSocketsView;

use crate::{
    capability::{
        key_value, key_value::KeyValueView, outbound_http, outbound_http::OnBehalfOf, postgres, postgres::PostgresView,
        redis, redis::RedisView, sockets, sockets::Access, sqlite, sqlite::SqliteView, stdio, stdio::StdioView,
        variables,
    },
    denial,
    guest::{self, Behalf, Guest},
    limits::ComponentLimits,
    link,
    manifest::{app::Component, import},
    service::Service,
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
    sockets::add_to_linker(&mut linker, Access { wasi: WasiSocketsView::sockets, open: |guest| &mut guest.sockets })?;
    stdio::add_to_linker(
        &mut linker,
        |guest: &mut Guest| StdioView { table: &mut guest.table, current: &guest.printing, requests: &guest.requests },
        wasmtime_wasi::cli::WasiCliView::cli,
    )?;
    variables::add_to_linker(&mut linker, |guest: &mut Guest| &guest.variables)?;
    key_value::add_to_linker(&mut linker, |guest: &mut Guest| KeyValueView {
        ctx: &mut guest.key_value,
        table: &mut guest.table,
    })?;
    sqlite::add_to_linker(&mut linker, |guest: &mut Guest| SqliteView {
        ctx: &mut guest.sqlite,
        table: &mut guest.table,
    })?;
    postgres::add_to_linker(&mut linker, |guest: &mut Guest| PostgresView {
        ctx: &mut guest.postgres,
        table: &mut guest.table,
    })?;
    redis::add_to_linker(&mut linker, |guest: &mut Guest| RedisView {
        ctx: &mut guest.redis,
        table: &mut guest.table,
    })?;
    Ok(linker)
}

/// Whether a component can be linked to what the host offers and to those whom the manifest names for the rest.
///
/// # Errors
/// The first import that fits nothing.
pub fn try_link(
    base: &Linker<Guest>,
    component: &Component,
    compiled: &wasmtime::component::Component,
) -> wasmtime::Result<()> {
    let mut linker = base.clone();
    let id: Arc<str> = component.id.as_str().into();
    for (interface, _) in compiled.component_type().imports(compiled.engine()) {
        if let Some(provider) = import::provider(&component.links, interface) {
            let provider = Service::new(provider.into(), ComponentLimits::default());
            link::define(&mut linker, &id, compiled, interface, &provider)?;
        }
    }
    denial::define(&mut linker, compiled, |import| import::provider(&component.links, import).is_some())?;
    linker.instantiate_pre(compiled).map(drop)
}

/// Has what a guest sends carry the trace of the request it serves, and within the application all that travels with it.
fn trace_outbound(mut store: wasmtime::StoreContextMut<'_, Guest>) {
    let behalf = guest::current_behalf(&mut store);
    let outbound = &mut store.data_mut().outbound;
    outbound.set_traceparent(match &behalf {
        Behalf::Request(context) => context.traceparent.clone(),
        Behalf::Nobody { .. } => None,
    });
    outbound.set_on_behalf_of(Some(OnBehalfOf(Arc::new(behalf))));
}
