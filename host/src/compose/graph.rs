//! Several components become one: a graph of `wac-graph`, as in Spin.

use wac_graph::{
    CompositionGraph, EncodeOptions, NodeId, PackageId,
    types::{ItemKind, Package, World, WorldId},
};

use super::error::ComposeError;
use crate::manifest::import;

/// What is being composed.
#[derive(Default)]
pub(super) struct Graph(CompositionGraph);

/// A component in it.
#[derive(Clone)]
pub(super) struct Part {
    package: PackageId,
    world: WorldId,
}

/// The component that the others become part of.
pub(super) struct Root {
    part: Part,
    instance: NodeId,
}

/// What handles requests: an export of an instance, and its name.
pub(super) struct Handler {
    name: String,
    export: NodeId,
}

/// What middleware imports and exports, and what it stands around exports.
const HANDLER: &str = "wasi:http/handler@0.3.0";

impl Graph {
    /// Adds a component under a name that no other has here.
    ///
    /// # Errors
    /// What is wrong with its bytes.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<Part, String> {
        let package = Package::from_bytes(name, None, bytes, self.0.types_mut()).map_err(chain)?;
        let world = package.ty();
        let package = self.0.register_package(package).map_err(chain)?;
        Ok(Part { package, world })
    }

    /// Makes an instance of a component.
    pub(super) fn instantiate(&mut self, part: &Part) -> NodeId {
        self.0.instantiate(part.package)
    }

    /// Makes it the component that the others become part of.
    pub(super) fn root(&mut self, part: Part) -> Root {
        Root { instance: self.instantiate(&part), part }
    }

    /// The names of what a component imports.
    pub(super) fn imports(&self, part: &Part) -> Vec<String> {
        self.world(part).imports.keys().cloned().collect()
    }

    /// The names of what a component exports.
    pub(super) fn exports(&self, part: &Part) -> Vec<String> {
        self.world(part).exports.keys().cloned().collect()
    }

    /// Has an instance of `part` serve an import of the root, by the export of this name, or else by that of the import's name or of a
    /// compatible version of it.
    ///
    /// # Errors
    /// When there is no such export, or it has another type. `key` is what the error calls the dependency.
    pub(super) fn plug(
        &mut self,
        key: &str,
        root: &Root,
        import: &str,
        (part, instance): (&Part, NodeId),
        export: Option<&str>,
    ) -> Result<(), ComposeError> {
        let exports = self.exports(part);
        let same = |wanted: &str| exports.iter().find(|name| *name == wanted);
        let found = match export {
            Some(export) => same(export),
            None => same(import).or_else(|| exports.iter().find(|name| import::compatible(name, import))),
        };
        let Some(found) = found else {
            let export = export.unwrap_or(import).to_owned();
            return Err(ComposeError::NoExport { key: key.to_owned(), export, exports });
        };
        let plugged = self
            .0
            .alias_instance_export(instance, found)
            .map_err(chain)
            .and_then(|served| self.0.set_instantiation_argument(root.instance, import, served).map_err(chain));
        plugged.map_err(|cause| ComposeError::Mismatch { key: key.to_owned(), cause })
    }

    /// What handles requests in the root.
    ///
    /// # Errors
    /// When nothing does that middleware could hand on to.
    pub(super) fn handler(&mut self, root: &Root) -> Result<Handler, ComposeError> {
        let name = self.handling(&self.world(&root.part).exports).ok_or(ComposeError::NothingWithin)?;
        let export = self.0.alias_instance_export(root.instance, &name).map_err(whole)?;
        Ok(Handler { name, export })
    }

    /// Puts a new instance of `part` around what handles requests so far.
    ///
    /// # Errors
    /// When it is no middleware, or is of another type. `key` is what the error calls it.
    pub(super) fn wrap(&mut self, key: &str, part: &Part, within: &Handler) -> Result<Handler, ComposeError> {
        let world = self.world(part);
        let (import, name) = (self.handling(&world.imports), self.handling(&world.exports));
        let (Some(import), Some(name)) = (import, name) else {
            return Err(ComposeError::NoMiddleware { key: key.to_owned() });
        };
        let instance = self.instantiate(part);
        let wrapped = self
            .0
            .set_instantiation_argument(instance, &import, within.export)
            .map_err(chain)
            .and_then(|()| self.0.alias_instance_export(instance, &name).map_err(chain));
        let export = wrapped.map_err(|cause| ComposeError::Mismatch { key: key.to_owned(), cause })?;
        Ok(Handler { name, export })
    }

    /// The bytes of the whole: it exports what the root does, with the outermost handler in place of its own, and imports what nobody in
    /// it serves.
    ///
    /// # Errors
    /// When parts of it import the same interface in different types.
    pub(super) fn finish(mut self, root: &Root, outermost: Option<Handler>) -> Result<Vec<u8>, ComposeError> {
        let mut exports = self.exports(&root.part);
        if let Some(Handler { name, export }) = outermost {
            exports.retain(|own| !import::compatible(own, HANDLER));
            self.0.export(export, &name).map_err(whole)?;
        }
        for name in exports {
            let export = self.0.alias_instance_export(root.instance, &name).map_err(whole)?;
            self.0.export(export, &name).map_err(whole)?;
        }
        self.0.encode(EncodeOptions::default()).map_err(whole)
    }
}

impl Graph {
    fn world(&self, part: &Part) -> &World {
        &self.0.types()[part.world]
    }

    /// Which of these handles requests. An interface of that name may have no more than types.
    fn handling<'a>(&self, items: impl IntoIterator<Item = (&'a String, &'a ItemKind)>) -> Option<String> {
        let handles = |kind: &ItemKind| match kind {
            ItemKind::Instance(interface) => self.0.types()[*interface].exports.contains_key("handle"),
            _ => false,
        };
        let found = items.into_iter().find(|(name, kind)| import::compatible(name, HANDLER) && handles(kind));
        found.map(|(name, _)| name.clone())
    }
}

impl Root {
    /// The component as one that has imports.
    pub(super) fn part(&self) -> &Part {
        &self.part
    }
}

fn whole(error: impl Into<anyhow::Error>) -> ComposeError {
    ComposeError::Whole(chain(error))
}

/// An error with its causes: the last of them names what differs.
fn chain(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
