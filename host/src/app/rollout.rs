//! What a rollout needs of the application.

use std::{borrow::Cow, sync::Arc, time::Instant};

use async_trait::async_trait;
use http::{Request, header::HOST};

use super::{served::host_serves, services::Services};
use crate::{
    compose::compose,
    database::migrate_texts,
    engine::Artifact,
    rollout::{Application, Neighbours, examine},
    service::{CallContext, Lot, Service, Version, contract::Surface, empty},
};

/// The host that a probe asks for.
const PROBED_HOST: &str = "probe.internal";

#[async_trait]
impl Application for Services {
    fn services(&self) -> Vec<Arc<Service>> {
        self.now().services.values().cloned().collect()
    }

    fn service(&self, component: &str) -> Option<Arc<Service>> {
        self.now().services.get(component).cloned()
    }

    async fn compose(&self, component: &str, bytes: Vec<u8>) -> Result<Vec<u8>, Vec<String>> {
        let now = self.now();
        let Some(component) = now.app.components.get(component).filter(|one| !one.composed.is_empty()).cloned() else {
            return Ok(bytes);
        };
        let composing = tokio::task::spawn_blocking(move || {
            let composed = compose(&component, &bytes).map(Cow::into_owned);
            composed.map_err(|errors| errors.iter().map(|error| format!("{error}; {}", error.remedy())).collect())
        });
        composing.await.unwrap_or_else(|error| Err(vec![format!("composing was interrupted: {error}")]))
    }

    async fn compile(&self, bytes: Vec<u8>) -> Result<Artifact, String> {
        let engine = self.engine.clone();
        let compiling = tokio::task::spawn_blocking(move || engine.load_aside(&bytes, "what was sent"));
        let compiled = compiling.await.map_err(|error| format!("compiling was interrupted: {error}"))?;
        compiled.map_err(|error| format!("{error:#}"))
    }

    async fn compiled(&self, hash: &str) -> Option<Artifact> {
        let (engine, hash) = (self.engine.clone(), hash.to_owned());
        tokio::task::spawn_blocking(move || engine.load_compiled(&hash)).await.ok().flatten()
    }

    fn surface(&self, artifact: &Artifact) -> Surface {
        Surface::of(self.engine.wasmtime(), &artifact.component)
    }

    fn examine(&self, component: &str, surface: &Surface, neighbours: &Neighbours) -> Vec<String> {
        examine(&self.now().app, component, surface, neighbours, &host_serves)
    }

    fn assemble(&self, component: &str, number: u32, artifact: Artifact) -> Result<Arc<Version>, String> {
        Services::assemble(self, &self.now(), component, number, artifact).map_err(|error| format!("{error:#}"))
    }

    async fn migrate(&self, component: &str, files: &[(String, String)]) -> Result<Vec<String>, String> {
        let now = self.now();
        let Some(database) = now.databases.get(component) else {
            return Err(format!("it brings migrations, and the manifest gives `{component}` no database"));
        };
        migrate_texts(database, files).await.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }

    async fn probe(&self, component: &str, version: &Arc<Version>, path: &str) -> Result<u16, String> {
        let service = Application::service(self, component).ok_or("it is not served")?;
        let request = Request::get(format!("http://{PROBED_HOST}{path}")).header(HOST, PROBED_HOST).body(empty());
        let request = request.map_err(|error| format!("`{path}` is no path: {error}"))?;
        let deadline = Instant::now() + service.limits().request_time();
        let context = CallContext::root("probe".into(), None, deadline, Lot::LAST);
        let answered = service.http_of(version.clone(), request, context).await;
        let (response, _guard) = answered.map_err(|failure| failure.to_string())?;
        Ok(response.status().as_u16())
    }
}
