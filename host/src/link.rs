//! A WIT import of one component becomes a call into the service that exports it.
//!
//! The import is a host function that looks up the provider's active version at each call and hands the values over,
//! so each component keeps its own store, memory and grants, and replacing the provider touches no consumer.

use std::{sync::Arc, time::Instant};

use wasmtime::{
    AsContextMut,
    component::{
        Accessor, Component, Linker, Type, Val,
        types::{ComponentFunc, ComponentInstance, ComponentItem},
    },
};

use crate::{
    guest::{Behalf, Guest, current_behalf},
    service::{CallContext, Export, Failure, Lot, Service},
};

/// A call can be made on nobody's behalf, from a task that outlived its request; it then has this id.
const NO_REQUEST: &str = "-";

/// Defines `interface`, which `component` imports, as calls into `provider`.
///
/// # Errors
/// When the component does not import the interface, or the linker already has it.
pub fn define(
    linker: &mut Linker<Guest>,
    consumer: &Arc<str>,
    component: &Component,
    interface: &str,
    provider: &Arc<Service>,
) -> wasmtime::Result<()> {
    let imported = imported_interface(component, interface)
        .ok_or_else(|| wasmtime::format_err!("{consumer} does not import {interface}"))?;
    let mut instance = linker.instance(interface)?;
    for (function, item) in imported.exports(component.engine()) {
        let ComponentItem::ComponentFunc(kind) = item.ty else { continue };
        let link = Arc::new(Link {
            consumer: consumer.clone(),
            provider: provider.clone(),
            export: Export::new(interface, function),
            tells_failures: has_unavailable_case(&kind),
        });
        instance.func_new_concurrent(function, move |accessor, _kind, params, results| {
            let link = link.clone();
            Box::pin(async move { link.call(accessor, params, results).await })
        })?;
    }
    Ok(())
}

/// One function of a late-bound import.
struct Link {
    consumer: Arc<str>,
    provider: Arc<Service>,
    export: Export,
    tells_failures: bool,
}

impl Link {
    async fn call(&self, accessor: &Accessor<Guest>, params: &[Val], results: &mut [Val]) -> wasmtime::Result<()> {
        let answer = match self.context(accessor) {
            Ok(context) => self.provider.call(&self.export, params.to_vec(), context).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(values) => {
                for (slot, value) in results.iter_mut().zip(values) {
                    *slot = value;
                }
                Ok(())
            }
            Err(failure) => self.fail(failure, results),
        }
    }

    fn context(&self, accessor: &Accessor<Guest>) -> Result<CallContext, Failure> {
        let now = Instant::now();
        let deadline = now + self.provider.limits().request_time();
        let request = match accessor.with(|mut access| current_behalf(&mut access.as_context_mut())) {
            Behalf::Request(request) => request,
            Behalf::Nobody { behind } => {
                let root = CallContext::root(NO_REQUEST.into(), None, deadline, Lot::any());
                Arc::new(CallContext { behind, ..root })
            }
        };
        if request.until() <= now {
            return Err(Failure::DeadlineExceeded { component: self.consumer.clone() });
        }
        request.enter(&self.consumer, &self.provider.id, deadline).map_err(|path| Failure::Cycle { path })
    }

    /// A function whose error has a case `unavailable(string)` tells its caller what happened; any other traps it.
    fn fail(&self, failure: Failure, results: &mut [Val]) -> wasmtime::Result<()> {
        tracing::warn!(
            consumer = %self.consumer,
            provider = %self.provider.id,
            interface = self.export.interface(),
            function = self.export.function(),
            failure = failure.kind(),
            "a call between components failed: {}",
            public_reason(&failure),
        );
        match results.first_mut() {
            Some(result) if self.tells_failures => {
                // The reason stays within the application, but the provider's backtrace is for the log alone.
                let text = Val::String(public_reason(&failure));
                let error = Val::Variant("unavailable".into(), Some(Box::new(text)));
                *result = Val::Result(Err(Some(Box::new(error))));
                Ok(())
            }
            _ => Err(wasmtime::format_err!("{}: {failure}", self.export.name())),
        }
    }
}

fn public_reason(failure: &Failure) -> String {
    match failure {
        Failure::Trapped { component, .. } => format!("{component} trapped"),
        Failure::Instantiation { component, .. } => format!("{component} cannot be instantiated"),
        other => other.to_string(),
    }
}

fn imported_interface(component: &Component, interface: &str) -> Option<ComponentInstance> {
    let kind = component.component_type();
    let (_, item) = kind.imports(component.engine()).find(|(name, _)| *name == interface)?;
    match item.ty {
        ComponentItem::ComponentInstance(instance) => Some(instance),
        _ => None,
    }
}

fn has_unavailable_case(function: &ComponentFunc) -> bool {
    let Some(Type::Result(result)) = function.results().next() else { return false };
    let Some(Type::Variant(error)) = result.err() else { return false };
    error.cases().any(|case| case.name == "unavailable" && matches!(case.ty, Some(Type::String)))
}
