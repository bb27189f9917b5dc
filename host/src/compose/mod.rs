//! What a component's `dependencies` name becomes part of it, as under Spin: out of several files comes one component, which is
//! compiled and served in its place. What it is made of shares its store, its limits and its end.
//!
//! What is kept of a component is its own bytes alone. It is composed each time a version is made of it, by the manifest that holds
//! then, so that nothing comes back with an earlier version that the manifest has taken away since. (A state folder that a host wrote
//! before this was so, which was never released, may hold whole compositions: they import nothing of their dependencies any more and
//! would be served as they are.)
//!
//! A dependency of which the component imports nothing is left out. It may be there for a version that came before, or is to come: were
//! that a fault, no version could go before or after another across a change of what is imported.
//!
//! Middleware becomes part of it as well, around it: what comes by HTTP goes to the outermost, and each hands on to the next within.
//!
//! Each part keeps its own memory, and gets of the component's grants what it inherits. What it does not inherit it imports under
//! another name (`denied.rs`), behind which the host declines (`denial/`).

mod denied;
mod error;
mod files;
mod graph;
mod recipe;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, path::Path};

use self::{
    denied::denied_name,
    graph::{Graph, Handler, Part, Root},
};
pub use self::{
    denied::{Denied, denied},
    error::ComposeError,
    files::Files,
    recipe::Recipe,
};
use crate::{
    digest::sha256,
    engine::{Artifact, rename, source::component_bytes},
    manifest::{
        app::{Component, Composed, Inherit, layer_name},
        import,
    },
};

/// A component with its dependencies in it, compiled.
#[derive(Clone)]
pub struct Composition {
    /// SHA-256 of the component's own bytes, in hexadecimal: what the ledger keeps, and tells versions apart by.
    pub hash: String,
    /// What the engine runs.
    pub artifact: Artifact,
    /// What it was composed with.
    pub recipe: Recipe,
}

/// The bytes of a component with its dependencies in it.
#[derive(Debug)]
pub struct Whole<'a> {
    /// As they are where it has none. Equal files make equal bytes.
    pub bytes: Cow<'a, [u8]>,
    /// What they were composed with.
    pub recipe: Recipe,
}

impl Composition {
    /// Composes a component by what the manifest says of it and has the whole loaded.
    ///
    /// # Errors
    /// Every dependency that cannot be composed in, or what `load` says, each with what to do.
    pub fn of(
        component: &Component,
        bytes: &[u8],
        files: &Files,
        load: impl FnOnce(&[u8]) -> anyhow::Result<Artifact>,
    ) -> Result<Self, Vec<String>> {
        let told = |errors: Vec<ComposeError>| errors.iter().map(ComposeError::advice).collect::<Vec<_>>();
        let Whole { bytes: whole, recipe } = compose(component, bytes, files).map_err(told)?;
        let artifact = load(&whole).map_err(|error| vec![format!("{error:#}")])?;
        let hash = if component.has_parts() { sha256(bytes) } else { artifact.hash.clone() };
        Ok(Self { hash, artifact, recipe })
    }
}

/// A component with its dependencies in it, of what their files hold.
///
/// # Errors
/// Every dependency that cannot be composed in, and why.
pub fn compose<'a>(component: &Component, bytes: &'a [u8], files: &Files) -> Result<Whole<'a>, Vec<ComposeError>> {
    let recipe = Recipe::of(component);
    // What is no component is for the engine to say.
    let Some(own) = component.has_parts().then(|| component_bytes(bytes).ok()).flatten() else {
        return Ok(Whole { bytes: Cow::Borrowed(bytes), recipe });
    };
    let mut graph = Graph::default();
    let root = graph.add("root", &own).map_err(|cause| vec![ComposeError::Unreadable(cause)])?;
    let root = graph.root(root);
    let imports = graph.imports(root.part());
    let (served, mut errors) = served(component, &imports);
    if served.is_empty() && errors.is_empty() && component.middleware.is_empty() {
        return Ok(Whole { bytes: Cow::Borrowed(bytes), recipe });
    }
    let mut parts = Parts { files, known: Vec::new(), added: 0, recipe };
    for (key, imports) in served {
        let Some(dependency) = component.composed.get(key) else { continue };
        let plugged = parts.part(component, key, dependency, &mut graph).and_then(|part| {
            let (instance, export) = (graph.instantiate(&part), dependency.export.as_deref());
            imports.iter().try_for_each(|import| graph.plug(key, &root, import, (&part, instance), export))
        });
        errors.extend(plugged.err());
    }
    let outermost = parts.around(component, &root, &mut graph).map_err(|error| errors.push(error)).ok().flatten();
    if !errors.is_empty() {
        return Err(errors);
    }
    let whole = graph.finish(&root, outermost).map_err(|error| vec![error])?;
    Ok(Whole { bytes: Cow::Owned(whole), recipe: parts.recipe })
}

/// The dependencies, by name, of which a component's own bytes import nothing.
pub fn unused<'a>(component: &'a Component, bytes: &[u8]) -> Vec<&'a str> {
    let mut graph = Graph::default();
    let root = component_bytes(bytes).ok().and_then(|own| graph.add("root", &own).ok());
    // What cannot be read is told of elsewhere.
    let Some(imports) = root.map(|root| graph.imports(&root)) else { return Vec::new() };
    let unused = |key: &&String| !imports.iter().any(|import| import::covers(key, import));
    component.composed.keys().filter(unused).map(String::as_str).collect()
}

/// The names of what a dependency's file exports.
///
/// # Errors
/// When it cannot be read or is nothing that can be composed in.
pub fn exports(key: &str, dependency: &Composed, files: &Files) -> Result<Vec<String>, ComposeError> {
    let bytes = part_bytes(key, dependency, files)?;
    let mut graph = Graph::default();
    let part = graph.add("part", &bytes).map_err(|cause| unfit(key, dependency, cause))?;
    Ok(graph.exports(&part))
}

/// What a dependency's file holds, as a component.
fn part_bytes(key: &str, dependency: &Composed, files: &Files) -> Result<Vec<u8>, ComposeError> {
    let file = &dependency.file;
    let missing = |cause| ComposeError::Missing { key: key.to_owned(), file: file.clone(), cause };
    let held = files.held(file).map_err(missing)?;
    let bytes = component_bytes(&held.bytes);
    Ok(bytes.map_err(|refusal| unfit(key, dependency, format!("it {refusal}")))?.into_owned())
}

fn unfit(key: &str, dependency: &Composed, cause: String) -> ComposeError {
    ComposeError::Unfit { key: key.to_owned(), file: dependency.file.clone(), cause }
}

/// By the names of the dependencies, the imports that each serves.
type Served<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// Which imports each dependency is to serve. A link goes before it; where several would serve the same, nobody knows which is meant.
fn served<'a>(component: &'a Component, imports: &'a [String]) -> (Served<'a>, Vec<ComposeError>) {
    let mut errors = Vec::new();
    let mut served = Served::new();
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
struct Parts<'a> {
    files: &'a Files,
    known: Vec<(&'a Path, &'a Inherit, Part)>,
    /// How many were put into the graph: one that is refused then has taken a name there, too.
    added: usize,
    recipe: Recipe,
}

impl<'a> Parts<'a> {
    /// Puts the middleware around the component; what handles requests in the end, where there is any.
    fn around(
        &mut self,
        component: &'a Component,
        root: &Root,
        graph: &mut Graph,
    ) -> Result<Option<Handler>, ComposeError> {
        if component.middleware.is_empty() {
            return Ok(None);
        }
        let mut handler = graph.handler(root)?;
        for (number, layer) in component.middleware.iter().enumerate().rev() {
            let key = layer_name(number);
            let part = self.part(component, &key, layer, graph)?;
            handler = graph.wrap(&key, &part, &handler)?;
        }
        Ok(Some(handler))
    }

    fn part(
        &mut self,
        component: &Component,
        key: &str,
        dependency: &'a Composed,
        graph: &mut Graph,
    ) -> Result<Part, ComposeError> {
        let Composed { file, inherit, .. } = dependency;
        if let Some((.., part)) = self.known.iter().find(|(known, its, _)| known == file && *its == inherit) {
            return Ok(part.clone());
        }
        let unfit = |cause: String| unfit(key, dependency, cause);
        let bytes = part_bytes(key, dependency, self.files)?;
        let bytes = rename::imports(&bytes, &|import| denied_name(import, inherit))
            .map_err(|error| unfit(error.to_string()))?;
        let name = self.added.to_string();
        self.added += 1;
        let part = graph.add(&name, &bytes).map_err(unfit)?;
        if let Inherit::These(_) = inherit {
            let linked = |name: &String| import::provider(&component.links, name).is_some();
            if let Some(import) = graph.imports(&part).into_iter().find(linked) {
                return Err(ComposeError::LinkNotInherited { key: key.to_owned(), import });
            }
        }
        self.recipe.took(file, self.files.hash(file).unwrap_or_default());
        self.known.push((file, inherit, part.clone()));
        Ok(part)
    }
}
