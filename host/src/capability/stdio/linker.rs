//! Finds out which request prints.

use std::{collections::HashMap, sync::Arc};

use wasmtime::{
    StoreContextMut,
    component::{Access, GuestTaskId, Linker, Resource, ResourceTable, StreamReader},
};
use wasmtime_wasi::{
    cli::{WasiCli, WasiCliCtxView},
    p2::{
        DynOutputStream, StreamError,
        bindings::io::streams::{self, Host as _, HostOutputStream as _},
    },
    p3::bindings::cli::{stderr, stdout},
};

use super::CurrentRequest;

/// The name under which wasmtime-wasi defines the streams of WASI 0.2, whatever 0.2 a guest asks for.
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// What the printing functions need of a store.
pub struct StdioView<'a> {
    /// The store's resources.
    pub table: &'a mut ResourceTable,
    /// Where the request that prints is noted.
    pub current: &'a CurrentRequest,
    /// Which request a guest task serves.
    pub requests: &'a dyn RequestOfTask,
}

/// Knows which request a guest task serves.
pub trait RequestOfTask {
    /// The id of the request, if `task` is one that the host started for a request.
    fn request_of(&self, task: GuestTaskId) -> Option<Arc<str>>;
}

impl RequestOfTask for HashMap<GuestTaskId, Arc<str>> {
    fn request_of(&self, task: GuestTaskId) -> Option<Arc<str>> {
        self.get(&task).cloned()
    }
}

/// Puts a note of the printing request before the functions that print. Call it after wasmtime-wasi's own
/// `add_to_linker` (p2 and p3), whose functions it replaces and calls.
///
/// Guests built for wasm32-wasip2 print through `wasi:io/streams@0.2`, those for WASI 0.3 through `write-via-stream`.
/// Other functions of the streams (`splice`, `write-zeroes`) are left as they are: what comes that way is logged under
/// the request that printed last.
///
/// # Errors
/// If a function cannot be defined.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> StdioView<'_>,
    cli: fn(&mut T) -> WasiCliCtxView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    add_streams(linker, view)?;
    add_write_via_stream(linker, view, cli)?;
    linker.allow_shadowing(false);
    Ok(())
}

type Written = wasmtime::Result<(Result<(), streams::StreamError>,)>;

fn add_streams<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> StdioView<'_>,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(STREAMS)?;
    instance.func_wrap(
        "[method]output-stream.write",
        move |mut store: StoreContextMut<'_, T>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| -> Written {
            let table = note_request(&mut store, view)?;
            let result = table.write(stream, bytes);
            answer(table, result)
        },
    )?;
    instance.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        move |mut store: StoreContextMut<'_, T>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            Box::new(async move {
                let table = note_request(&mut store, view)?;
                let result = table.blocking_write_and_flush(stream, bytes).await;
                answer(table, result)
            })
        },
    )
}

fn add_write_via_stream<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> StdioView<'_>,
    cli: fn(&mut T) -> WasiCliCtxView<'_>,
) -> wasmtime::Result<()> {
    linker.instance("wasi:cli/stdout@0.3.0")?.func_wrap(
        "write-via-stream",
        move |mut store: StoreContextMut<'_, T>, (data,): (StreamReader<u8>,)| {
            note_request(&mut store, view)?;
            let access = Access::<T, WasiCli>::new(store, cli);
            Ok((<WasiCli as stdout::HostWithStore<T>>::write_via_stream(access, data)?,))
        },
    )?;
    linker.instance("wasi:cli/stderr@0.3.0")?.func_wrap(
        "write-via-stream",
        move |mut store: StoreContextMut<'_, T>, (data,): (StreamReader<u8>,)| {
            note_request(&mut store, view)?;
            let access = Access::<T, WasiCli>::new(store, cli);
            Ok((<WasiCli as stderr::HostWithStore<T>>::write_via_stream(access, data)?,))
        },
    )
}

/// Notes the request of the guest task that is calling. The task may be a child of the one the host started, so the
/// youngest with a request decides.
fn note_request<'a, T: 'static>(
    store: &'a mut StoreContextMut<'_, T>,
    view: fn(&mut T) -> StdioView<'_>,
) -> wasmtime::Result<&'a mut ResourceTable> {
    let tasks: Vec<GuestTaskId> = store.async_call_stack()?.collect();
    let StdioView { table, current, requests } = view(store.data_mut());
    current.set(tasks.into_iter().find_map(|task| requests.request_of(task)));
    Ok(table)
}

/// Hands a stream's result to the guest, or ends it where the stream says that it must not go on.
fn answer(table: &mut ResourceTable, result: Result<(), StreamError>) -> Written {
    match result {
        Ok(()) => Ok((Ok(()),)),
        Err(error) => Ok((Err(table.convert_stream_error(error)?),)),
    }
}
