use std::sync::Arc;

use async_trait::async_trait;

use super::examine::Neighbours;
use crate::{
    engine::Artifact,
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

    /// The bytes of a component with what the manifest has composed into it.
    ///
    /// # Errors
    /// Each dependency that does not fit, and what to do about it.
    async fn compose(&self, component: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Vec<String>>;

    /// Compiles a component, unless these bytes were compiled before.
    ///
    /// # Errors
    /// What is wrong with the bytes, and what to do about it.
    async fn compile(&self, bytes: Vec<u8>) -> Result<Artifact, String>;

    /// The component of this hash, if it was compiled before.
    async fn compiled(&self, hash: &str) -> Option<Artifact>;

    /// What a compiled component imports and exports.
    fn surface(&self, artifact: &Artifact) -> Surface;

    /// What keeps a component from answering as `component`; see [`super::examine::examine`].
    fn examine(&self, component: &str, surface: &Surface, neighbours: &Neighbours) -> Vec<String>;

    /// Links a compiled component to its grants and to its neighbours.
    ///
    /// # Errors
    /// What does not fit.
    fn assemble(&self, component: &str, number: u32, artifact: Artifact) -> Result<Arc<Version>, String>;

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
