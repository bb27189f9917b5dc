use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::examine::Neighbours;
use crate::{
    compose::Composition,
    service::{Service, Version, contract::Surface},
};

/// What a rollout needs of the application that it changes.
#[async_trait]
pub trait Application: Send + Sync {
    /// The components of the application that is served now.
    fn services(&self) -> Vec<Arc<Service>>;

    /// The service of this name.
    fn service(&self, component: &str) -> Option<Arc<Service>> {
        self.services().into_iter().find(|service| &*service.id == component)
    }

    /// How often another manifest was taken up, so that one can tell whether something may be otherwise now.
    fn taken_up(&self) -> u64;

    /// Whether a component's own bytes can be composed with what the manifest names. Nothing is compiled, so this is done at once.
    ///
    /// # Errors
    /// Each dependency that does not fit, and what to do about it.
    async fn composes(&self, component: &str, bytes: Bytes) -> Result<(), Vec<String>>;

    /// Composes a component's own bytes with what the manifest names and compiles the whole, unless that was compiled before.
    ///
    /// # Errors
    /// Each dependency that does not fit, or what is wrong with the bytes; and what to do about it.
    async fn compile(&self, component: &str, bytes: Bytes) -> Result<Composition, Vec<String>>;

    /// The component of this hash, if it was compiled before and nothing is composed into it.
    async fn compiled(&self, component: &str, hash: &str) -> Option<Composition>;

    /// Whether it would still be composed so: of the same lines of the manifest, and of files that hold the same.
    fn is_as_described(&self, component: &str, composition: &Composition) -> bool;

    /// What a compiled component imports and exports.
    fn surface(&self, composition: &Composition) -> Surface;

    /// What keeps a component from answering as `component`; see [`super::examine::examine`].
    fn examine(&self, component: &str, surface: &Surface, neighbours: &Neighbours) -> Vec<String>;

    /// Links a compiled component to its grants and to its neighbours.
    ///
    /// # Errors
    /// What does not fit.
    fn assemble(&self, component: &str, number: u32, composition: Composition) -> Result<Arc<Version>, String>;

    /// Applies what is new among migrations, given by file name and text; returns the names of what was applied.
    ///
    /// # Errors
    /// What the database says, with file and line.
    async fn migrate(&self, component: &str, files: &[(String, String)]) -> Result<Vec<String>, String>;

    /// Sends a GET to a version alone, and returns the status.
    ///
    /// # Errors
    /// Why there was no answer.
    async fn probe(&self, component: &str, version: &Arc<Version>, path: &str) -> Result<u16, String>;
}
