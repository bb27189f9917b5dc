//! What a component's `dependencies` name becomes part of it, as under Spin: out of several files comes one component, in whose
//! place it is compiled, kept and served. What it is made of shares its store, its limits and its end.
//!
//! Each part keeps its own memory, and gets of the component's grants what it inherits. What it does not inherit it imports under
//! another name (`denied.rs`), behind which the host declines (`denial.rs`).

mod denied;
mod error;
mod graph;
mod rename;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, path::Path};

pub(crate) use self::error::told;
use self::{
    denied::denied_name,
    graph::{Graph, Part},
};
pub use self::{
    denied::{Denied, denied},
    error::ComposeError,
};
use crate::{
    engine::source::component_bytes,
    manifest::{
        app::{Component, Composed, Inherit},
        import,
    },
};

/// The bytes of a component with its dependencies in it; as they are where it has none. Equal files make equal bytes.
///
/// # Errors
/// Every dependency that cannot be composed in, and why.
pub fn compose<'a>(component: &Component, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Vec<ComposeError>> {
    // What is no component is for the engine to say.
    let Some(whole) = component_bytes(bytes).ok().filter(|_| !component.composed.is_empty()) else {
        return Ok(Cow::Borrowed(bytes));
    };
    let mut graph = Graph::default();
    let root = graph.add("root", &whole).map_err(|cause| vec![ComposeError::Unreadable(cause)])?;
    let root = graph.root(root);
    let imports = graph.imports(root.part());
    let (served, mut errors) = served(component, &imports);
    let mut parts = Parts::default();
    for (key, imports) in served {
        let Some(dependency) = component.composed.get(key) else { continue };
        let plugged = parts.part(component, key, dependency, &mut graph).and_then(|part| {
            let (instance, export) = (graph.instantiate(&part), dependency.export.as_deref());
            imports.iter().try_for_each(|import| graph.plug(key, &root, import, (&part, instance), export))
        });
        errors.extend(plugged.err());
    }
    if errors.is_empty() { graph.finish(&root).map(Cow::Owned).map_err(|error| vec![error]) } else { Err(errors) }
}

/// By the names of the dependencies, the imports that each serves.
type Served<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Which imports each dependency is to serve. A link goes before it; where several would serve the same, nobody knows which is meant.
fn served<'a>(component: &'a Component, imports: &'a [String]) -> (Served<'a>, Vec<ComposeError>) {
    let mut errors = Vec::new();
    let mut served = Served::new();
    for key in component.composed.keys() {
        if !imports.iter().any(|import| import::covers(key, import)) {
            errors.push(ComposeError::NotImported { component: component.id.clone(), key: key.clone() });
        }
    }
    for import in imports.iter().filter(|import| import::provider(&component.links, import).is_none()) {
        let mut keys = component.composed.keys().filter(|key| import::covers(key, import));
        let Some(key) = keys.next() else { continue };
        match keys.next() {
            Some(other) => {
                errors.push(ComposeError::Ambiguous { import: import.clone(), key: key.clone(), other: other.clone() })
            }
            None => served.entry(key).or_default().push(import),
        }
    }
    (served, errors)
}

/// The files that were read. One that several lines name is in the whole once, and has an instance for each.
#[derive(Default)]
struct Parts<'a>(Vec<(&'a Path, &'a Inherit, Part)>);

impl<'a> Parts<'a> {
    fn part(
        &mut self,
        component: &Component,
        key: &str,
        dependency: &'a Composed,
        graph: &mut Graph,
    ) -> Result<Part, ComposeError> {
        let Composed { file, inherit, .. } = dependency;
        if let Some((.., part)) = self.0.iter().find(|(known, its, _)| known == file && *its == inherit) {
            return Ok(part.clone());
        }
        let unfit = |cause: String| ComposeError::Unfit { key: key.to_owned(), file: file.clone(), cause };
        let missing = |cause| ComposeError::Missing { key: key.to_owned(), file: file.clone(), cause };
        let bytes = std::fs::read(file).map_err(missing)?;
        let bytes = component_bytes(&bytes).map_err(|refusal| unfit(format!("it {refusal}")))?;
        let bytes = rename::imports(&bytes, &|import| denied_name(import, inherit))
            .map_err(|error| unfit(error.to_string()))?;
        let part = graph.add(&self.0.len().to_string(), &bytes).map_err(unfit)?;
        if let Inherit::These(_) = inherit {
            let linked = |name: &String| import::provider(&component.links, name).is_some();
            if let Some(import) = graph.imports(&part).into_iter().find(linked) {
                return Err(ComposeError::LinkNotInherited { key: key.to_owned(), import });
            }
        }
        self.0.push((file, inherit, part.clone()));
        Ok(part)
    }
}
