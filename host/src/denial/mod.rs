//! What a component asks in vain. What a part of it does not inherit it imports under another name (`compose/denied.rs`), and SDKs
//! import what the host does not serve (`unserved.rs`). Whatever is asked there is refused.
//!
//! The refusal is made of the function's type, so that it is one in every version of every interface: an error that says so, an empty
//! list, a record in which nothing stands, nothing. A function that can say none of these traps.

#[cfg(test)]
mod tests;
mod unserved;

use std::sync::Arc;

use wasmtime::{
    AsContextMut, StoreContextMut,
    component::{
        Accessor, Component, Linker, LinkerInstance, Resource, ResourceAny, ResourceType, Type, Val,
        types::{ComponentFunc, ComponentItem, Variant},
    },
};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView, p2::bindings::http::types as p2, p3::bindings::http::types as http};

pub use self::unserved::{Unserved, unserved};
use crate::{
    compose::{Denied, denied},
    guest::Guest,
};

/// How a case of an error is called that says that somebody may not, the best one first.
const REFUSALS: [&str; 4] = ["access-denied", "HTTP-request-denied", "other", "internal-error"];
/// And one that says that there is nothing.
const FAILURES: [&str; 4] = ["connection-failed", "runtime-error", "other", "internal-error"];

/// A resource of an interface that is refused. Nothing is behind it.
struct Nothing;

/// Why what is asked of an interface is refused.
#[derive(Clone, Copy)]
enum Cause {
    NotInherited(Denied),
    NotServed(Unserved),
}

impl Cause {
    fn of(import: &str) -> Option<Self> {
        let denied = denied(import).map(Self::NotInherited);
        denied.or_else(|| unserved(import).map(Self::NotServed))
    }

    fn reason(self) -> String {
        match self {
            Self::NotInherited(Denied { interface, key }) => {
                format!("{interface} is denied to this dependency: it does not inherit `{key}`")
            }
            Self::NotServed(Unserved { what, .. }) => format!("{what} is not served by this host"),
        }
    }

    /// The names of cases of an error that say so.
    fn cases(self) -> [&'static str; 4] {
        match self {
            Self::NotInherited(_) => REFUSALS,
            Self::NotServed(_) => FAILURES,
        }
    }
}

/// Whether an import is one of which whatever is asked is refused.
pub fn is_refused(import: &str) -> bool {
    Cause::of(import).is_some()
}

/// Defines every import of a component of which whatever is asked is refused, but for those that are `linked`.
///
/// # Errors
/// When the linker has one of them already.
pub fn define(
    linker: &mut Linker<Guest>,
    component: &Component,
    linked: impl Fn(&str) -> bool,
) -> wasmtime::Result<()> {
    // A resource belongs to the first interface that has it; further ones only use it.
    let mut known: Vec<ResourceType> = Vec::new();
    let kind = component.component_type();
    for (name, import) in kind.imports(component.engine()) {
        let ComponentItem::ComponentInstance(interface) = import.ty else { continue };
        let cause = Cause::of(name).filter(|_| !linked(name));
        for (export, item) in interface.exports(component.engine()) {
            match (item.ty, cause) {
                (ComponentItem::Resource(resource), cause) if !known.contains(&resource) => {
                    known.push(resource);
                    if cause.is_some() {
                        let nothing = ResourceType::host::<Nothing>();
                        linker.instance(name)?.resource(export, nothing, |_, _| Ok(()))?;
                    }
                }
                (ComponentItem::ComponentFunc(function), Some(cause)) => {
                    refuse(&mut linker.instance(name)?, cause, export, &function)?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn refuse(
    instance: &mut LinkerInstance<'_, Guest>,
    cause: Cause,
    function: &str,
    kind: &ComponentFunc,
) -> wasmtime::Result<()> {
    match (cause, function) {
        (Cause::NotInherited(Denied { interface: "wasi:http/client", .. }), "send") => return refuse_to_send(instance),
        (Cause::NotInherited(Denied { interface: "wasi:http/outgoing-handler", .. }), "handle") => {
            return refuse_to_handle(instance);
        }
        _ => {}
    }
    let refusal = Refusal { cause, function: function.to_owned() };
    if kind.async_() {
        let refusal = Arc::new(refusal);
        return instance.func_new_concurrent(function, move |accessor, kind, params, results| {
            let refusal = refusal.clone();
            Box::pin(async move {
                accessor.with(|mut access| refusal.answer(access.as_context_mut(), &kind, params, results))
            })
        });
    }
    instance.func_new(function, move |store, kind, params, results| refusal.answer(store, &kind, params, results))
}

/// A request has a body that somebody may be writing: they are to notice that nobody reads it.
fn refuse_to_send(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    instance.func_wrap_concurrent("send", |accessor: &Accessor<Guest>, (request,): (Resource<http::Request>,)| {
        Box::pin(async move {
            let view = accessor.with_getter::<WasiHttp>(WasiHttpView::http);
            view.with(|access| <WasiHttp as http::HostRequestWithStore<Guest>>::drop(access, request))?;
            let refused: Result<Resource<http::Response>, http::ErrorCode> = Err(http::ErrorCode::HttpRequestDenied);
            Ok((refused,))
        })
    })
}

/// The same in WASI 0.2, where whoever writes the body waits for it to be read as long as the request is there.
fn refuse_to_handle(instance: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    type Asked = (Resource<p2::OutgoingRequest>, Option<Resource<p2::RequestOptions>>);
    instance.func_wrap("handle", |mut store: StoreContextMut<'_, Guest>, (request, options): Asked| {
        let table = &mut store.data_mut().table;
        table.delete(request)?;
        options.map(|options| table.delete(options)).transpose()?;
        let refused: Result<Resource<p2::FutureIncomingResponse>, p2::ErrorCode> =
            Err(p2::ErrorCode::HttpRequestDenied);
        Ok((refused,))
    })
}

/// What a function of such an interface answers.
struct Refusal {
    cause: Cause,
    function: String,
}

impl Refusal {
    fn answer(
        &self,
        mut store: impl AsContextMut,
        kind: &ComponentFunc,
        params: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        params.iter().try_for_each(|param| let_go(&mut store, param))?;
        if let Some((kind, result)) = kind.results().next().zip(results.first_mut()) {
            let value = self.value(&mut store, &kind)?;
            *result = value.ok_or_else(|| wasmtime::format_err!("{}: {}", self.function, self.cause.reason()))?;
        }
        Ok(())
    }

    /// A value that says no.
    fn value(&self, store: impl AsContextMut, kind: &Type) -> wasmtime::Result<Option<Val>> {
        Ok(match kind {
            Type::Result(result) => match result.err() {
                None => Some(Val::Result(Err(None))),
                Some(kind) => self.error(&kind).map(|error| Val::Result(Err(Some(Box::new(error))))),
            },
            Type::List(_) | Type::Option(_) | Type::Record(_) => empty(kind),
            Type::Own(resource) if *resource == ResourceType::host::<Nothing>() => {
                let nothing = Resource::<Nothing>::new_own(0);
                Some(Val::Resource(ResourceAny::try_from_resource(nothing, store)?))
            }
            _ => None,
        })
    }

    fn error(&self, kind: &Type) -> Option<Val> {
        match kind {
            Type::String => Some(Val::String(self.cause.reason())),
            Type::Option(_) => Some(Val::Option(None)),
            Type::Enum(error) => {
                let case = self.cause.cases().into_iter().find(|case| error.names().any(|name| name == *case));
                case.map(|case| Val::Enum(case.to_owned()))
            }
            Type::Variant(error) => self.case(error),
            _ => None,
        }
    }

    /// The case of an error that says it best, or any that takes a text.
    fn case(&self, error: &Variant) -> Option<Val> {
        let value = |name: &str, kind: Option<Type>| match kind {
            None => Some(Val::Variant(name.to_owned(), None)),
            Some(kind) => self.error(&kind).map(|value| Val::Variant(name.to_owned(), Some(Box::new(value)))),
        };
        let named =
            |wanted: &str| error.cases().find(|case| case.name == wanted).and_then(|case| value(case.name, case.ty));
        let text = || error.cases().find(|case| matches!(case.ty, Some(Type::String)));
        self.cause.cases().into_iter().find_map(named).or_else(|| text().and_then(|case| value(case.name, case.ty)))
    }
}

/// A value in which nothing stands, such as the context of a span that is none; `None` for types that have no such value.
fn empty(kind: &Type) -> Option<Val> {
    Some(match kind {
        Type::Bool => Val::Bool(false),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Flags(_) => Val::Flags(Vec::new()),
        Type::Record(record) => {
            let fields = record.fields().map(|field| Some((field.name.to_owned(), empty(&field.ty)?)));
            Val::Record(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Ends the host's hold on a handle that came as a parameter. What belongs to an interface that is not refused goes with its instance.
fn let_go(store: &mut impl AsContextMut, value: &Val) -> wasmtime::Result<()> {
    match value {
        Val::Resource(handle) if handle.ty() == ResourceType::host::<Nothing>() => {
            handle.try_into_resource::<Nothing>(store).map(drop)
        }
        Val::Option(Some(value)) => let_go(store, value),
        _ => Ok(()),
    }
}
