//! Finds out on whose behalf a guest sends a request, and completes an address that it leaves out: without an authority it is for the
//! application itself, without a path for `/`.

use http::uri::{Authority, PathAndQuery, Scheme};
use wasmtime::{
    AsContextMut, StoreContextMut,
    component::{Accessor, Linker, Resource},
};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtxView, p2, p3};

use p2::bindings::http::{outgoing_handler, types as p2_types};
use p3::bindings::http::{client, types as p3_types};

/// The names under which wasmtime-wasi-http defines how requests are sent.
const SEND_P2: &str = "wasi:http/outgoing-handler@0.2.12";
const SEND_P3: &str = "wasi:http/client@0.3.0";

/// What a request without an authority is for, as under Spin: the application's own routes.
const ITSELF: &str = "self";

/// Has `before_send` called before each request that a guest sends, while wasmtime still knows which guest task is
/// sending it (`StoreContextMut::async_call_stack`): the place to call [`super::OutboundHttp::set_traceparent`].
///
/// Call it after wasmtime-wasi-http's own `add_to_linker` (p2 and p3), whose functions it replaces and calls.
///
/// # Errors
/// If a function cannot be defined.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    before_send: fn(StoreContextMut<'_, T>),
    http: fn(&mut T) -> WasiHttpCtxView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    add_p2(linker, before_send, http)?;
    add_p3(linker, before_send, http)?;
    linker.allow_shadowing(false);
    Ok(())
}

type P2Request = Resource<p2_types::OutgoingRequest>;
type P2Options = Option<Resource<p2_types::RequestOptions>>;
type P2Sent = Result<Resource<p2_types::FutureIncomingResponse>, p2_types::ErrorCode>;

fn add_p2<T: Send + 'static>(
    linker: &mut Linker<T>,
    before_send: fn(StoreContextMut<'_, T>),
    http: fn(&mut T) -> WasiHttpCtxView<'_>,
) -> wasmtime::Result<()> {
    linker.instance(SEND_P2)?.func_wrap(
        "handle",
        move |mut store: StoreContextMut<'_, T>, (request, options): (P2Request, P2Options)| {
            before_send(store.as_context_mut());
            let mut view = http(store.data_mut());
            let asked = view.table.get_mut(&request)?;
            if asked.authority.is_none() {
                (asked.scheme, asked.authority) = (Some(p2_types::Scheme::Http), Some(ITSELF.to_owned()));
            }
            asked.path_with_query.get_or_insert_with(|| "/".to_owned());
            let sent: P2Sent = match outgoing_handler::Host::handle(&mut view, request, options) {
                Ok(response) => Ok(response),
                Err(error) => Err(p2_types::Host::convert_error_code(&mut view, error)?),
            };
            Ok((sent,))
        },
    )
}

type P3Sent = Result<Resource<p3_types::Response>, p3_types::ErrorCode>;

fn add_p3<T: Send + 'static>(
    linker: &mut Linker<T>,
    before_send: fn(StoreContextMut<'_, T>),
    http: fn(&mut T) -> WasiHttpCtxView<'_>,
) -> wasmtime::Result<()> {
    linker.instance(SEND_P3)?.func_wrap_concurrent(
        "send",
        move |accessor: &Accessor<T>, (request,): (Resource<p3_types::Request>,)| {
            Box::pin(async move {
                accessor.with(|mut store| {
                    before_send(store.as_context_mut());
                    let mut context = store.as_context_mut();
                    let asked = http(context.data_mut()).table.get_mut(&request)?;
                    if asked.authority.is_none() {
                        (asked.scheme, asked.authority) = (Some(Scheme::HTTP), Some(Authority::from_static(ITSELF)));
                    }
                    asked.path_with_query.get_or_insert_with(|| PathAndQuery::from_static("/"));
                    wasmtime::Result::<()>::Ok(())
                })?;
                let sending = accessor.with_getter::<WasiHttp>(http);
                let sent: P3Sent = match <WasiHttp as client::HostWithStore<T>>::send(&sending, request).await {
                    Ok(response) => Ok(response),
                    Err(error) => Err(accessor.with(|mut store| {
                        p3_types::Host::convert_error_code(&mut http(store.as_context_mut().data_mut()), error)
                    })?),
                };
                Ok((sent,))
            })
        },
    )
}
