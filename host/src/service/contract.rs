//! Do these exports still satisfy those imports? Pure: reads types, runs nothing.

pub mod called;
mod shape;

use std::{collections::BTreeMap, fmt};

use wasmtime::{
    Engine,
    component::{
        Component,
        types::{ComponentInstance, ComponentItem},
    },
};

pub use self::shape::{Function, Shape};
use crate::manifest::import::{compatible, same_interface};

/// What a component imports and exports, by interface name (`example:users/directory@1.0.0`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surface {
    /// What it needs.
    pub imports: BTreeMap<String, Interface>,
    /// What it offers.
    pub exports: BTreeMap<String, Interface>,
}

/// The functions of an interface. A function that stands in the world itself is an interface of its own name with one function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interface {
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Names of the resource types that it defines.
    pub resources: Vec<String>,
}

/// A difference between what a consumer expects and what a provider has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mismatch {
    /// The interface, as the consumer names it.
    pub interface: String,
    /// The function; `None` where the whole interface is concerned.
    pub function: Option<String>,
    /// What the consumer (or the rule) expects.
    pub expected: String,
    /// What there is.
    pub found: String,
}

impl Surface {
    /// Reads a component's types.
    pub fn of(engine: &Engine, component: &Component) -> Self {
        let types = component.component_type();
        let read =
            |name: &str, item: ComponentItem| Interface::of(engine, name, &item).map(|read| (name.to_owned(), read));
        Self {
            imports: types.imports(engine).filter_map(|(name, item)| read(name, item.ty)).collect(),
            exports: types.exports(engine).filter_map(|(name, item)| read(name, item.ty)).collect(),
        }
    }

    /// The export that serves an import of this name: the same name, else a compatible version of it.
    pub fn provides(&self, import: &str) -> Option<(&str, &Interface)> {
        let same = self.exports.get_key_value(import);
        let close = || self.exports.iter().find(|(name, _)| compatible(name, import));
        same.or_else(close).map(|(name, interface)| (name.as_str(), interface))
    }

    /// Whether it exports this interface, in whatever version (`wasi:http/handler`).
    pub fn exports_any(&self, interface: &str) -> bool {
        self.exports.keys().any(|name| same_interface(name, interface))
    }
}

/// What `consumer` imports as `interface` and `provider` does not export with equal types. More exports do no harm.
pub fn missing(consumer: &Surface, provider: &Surface, interface: &str) -> Vec<Mismatch> {
    let Some(needed) = consumer.imports.get(interface) else {
        return Vec::new();
    };
    let Some((_, offered)) = provider.provides(interface) else {
        let near: Vec<&str> =
            provider.exports.keys().filter(|name| same_interface(name, interface)).map(String::as_str).collect();
        let found =
            if near.is_empty() { "no such export".to_owned() } else { format!("an export of {}", near.join(", ")) };
        return vec![Mismatch::whole(interface, format!("an export of {interface}"), found)];
    };
    let differing = |(name, expected): (&String, &Function)| match offered.functions.get(name) {
        Some(found) if found == expected => None,
        Some(found) => Some(Mismatch::one(interface, name, expected.to_string(), found.to_string())),
        None => Some(Mismatch::one(interface, name, expected.to_string(), "no such function".to_owned())),
    };
    needed.functions.iter().filter_map(differing).collect()
}

/// What of an imported interface cannot cross from one component's store into another's: functions that are not `async`,
/// and resources, streams, futures and error contexts among their values.
pub fn unlinkable(consumer: &Surface, interface: &str) -> Vec<Mismatch> {
    let Some(needed) = consumer.imports.get(interface) else {
        return Vec::new();
    };
    let mut mismatches = Vec::new();
    for (name, function) in &needed.functions {
        if !function.asynchronous {
            mismatches.push(Mismatch::one(interface, name, "an `async func`".to_owned(), function.to_string()));
        }
        if let Some(bound) = function.bound_to_store() {
            let expected = "values that can cross from one component to another".to_owned();
            mismatches.push(Mismatch::one(interface, name, expected, bound.to_string()));
        }
    }
    mismatches
}

impl Interface {
    fn of(engine: &Engine, name: &str, item: &ComponentItem) -> Option<Self> {
        match item {
            ComponentItem::ComponentInstance(instance) => Some(Self::of_instance(engine, instance)),
            ComponentItem::ComponentFunc(function) => {
                let functions = BTreeMap::from([(name.to_owned(), Function::of(function))]);
                Some(Self { functions, resources: Vec::new() })
            }
            _ => None,
        }
    }

    fn of_instance(engine: &Engine, instance: &ComponentInstance) -> Self {
        let mut interface = Self::default();
        for (name, item) in instance.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(function) => {
                    interface.functions.insert(name.to_owned(), Function::of(&function));
                }
                ComponentItem::Resource(_) => interface.resources.push(name.to_owned()),
                _ => {}
            }
        }
        interface
    }

    /// Defines types alone, so nobody has to provide it.
    pub fn is_types_only(&self) -> bool {
        self.functions.is_empty() && self.resources.is_empty()
    }
}

impl Mismatch {
    fn whole(interface: &str, expected: String, found: String) -> Self {
        Self { interface: interface.to_owned(), function: None, expected, found }
    }

    fn one(interface: &str, function: &str, expected: String, found: String) -> Self {
        Self { interface: interface.to_owned(), function: Some(function.to_owned()), expected, found }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.interface)?;
        if let Some(function) = &self.function {
            write!(formatter, "#{function}")?;
        }
        write!(formatter, ": expected {}, found {}", self.expected, self.found)
    }
}

#[cfg(test)]
mod tests;
