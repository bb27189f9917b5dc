//! What a rollout needs of the application.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, header::HOST};

use super::{served::host_serves, services::Services};
use crate::{
    compose::{ComposeError, Composition, Files, Recipe, compose},
    database::Migrator,
    manifest::{App, app::Component},
    rollout::{Application, Neighbours, examine},
    service::{CallContext, Lot, Service, Version, contract::Surface, empty},
};

/// The host that a probe asks for.
const PROBED_HOST: &str = "probe.internal";

/// The services, and by what versions of them are made.
pub struct Workbench {
    services: Arc<Services>,
    taken_up: ArcSwap<TakenUp>,
    migrator: Migrator,
}

/// The manifest that was taken up last, and what the files held then that it has composed in.
pub struct TakenUp {
    /// The manifest.
    pub app: Arc<App>,
    /// The files of its dependencies.
    pub files: Files,
    /// How many were taken up before it.
    before: u64,
}

impl Workbench {
    /// For services that are served by this manifest.
    pub fn new(services: Arc<Services>, app: Arc<App>, files: Files) -> Self {
        let taken_up = ArcSwap::from_pointee(TakenUp { app, files, before: 0 });
        Self { services, taken_up, migrator: Migrator::default() }
    }

    /// By what versions are made now.
    pub fn now(&self) -> Arc<TakenUp> {
        self.taken_up.load_full()
    }

    /// By this they are made from now on. Nobody changes anything else meanwhile.
    pub fn take_up(&self, app: Arc<App>, files: Files) {
        let before = self.now().before.saturating_add(1);
        self.taken_up.store(Arc::new(TakenUp { app, files, before }));
    }
}

impl TakenUp {
    /// What the manifest says of a component.
    fn described(&self, component: &str) -> Result<Component, Vec<String>> {
        let described = self.app.components.get(component).cloned();
        described.ok_or_else(|| vec![format!("the application has no component `{component}`")])
    }
}

#[async_trait]
impl Application for Workbench {
    fn services(&self) -> Vec<Arc<Service>> {
        self.services.now().services.values().cloned().collect()
    }

    fn service(&self, component: &str) -> Option<Arc<Service>> {
        self.services.now().services.get(component).cloned()
    }

    fn taken_up(&self) -> u64 {
        self.now().before
    }

    async fn composes(&self, component: &str, bytes: Bytes) -> Result<(), Vec<String>> {
        let now = self.now();
        let component = now.described(component)?;
        if !component.has_parts() {
            return Ok(());
        }
        let composing = tokio::task::spawn_blocking(move || {
            let told = |errors: Vec<ComposeError>| errors.iter().map(ComposeError::advice).collect();
            compose(&component, &bytes, &now.files).map(|_| ()).map_err(told)
        });
        composing.await.unwrap_or_else(|error| Err(vec![format!("composing was interrupted: {error}")]))
    }

    async fn compile(&self, component: &str, bytes: Bytes) -> Result<Composition, Vec<String>> {
        let (engine, now) = (self.services.engine.clone(), self.now());
        let component = now.described(component)?;
        let composing = tokio::task::spawn_blocking(move || {
            Composition::of(&component, &bytes, &now.files, |whole| engine.load_aside(whole, "what was sent"))
        });
        composing.await.unwrap_or_else(|error| Err(vec![format!("compiling was interrupted: {error}")]))
    }

    async fn compiled(&self, component: &str, hash: &str) -> Option<Composition> {
        self.now().described(component).ok().filter(|component| !component.has_parts())?;
        let (engine, hash) = (self.services.engine.clone(), hash.to_owned());
        let loading = tokio::task::spawn_blocking(move || {
            let artifact = engine.load_compiled(&hash)?;
            Some(Composition { hash: artifact.hash.clone(), artifact, recipe: Recipe::default() })
        });
        loading.await.ok().flatten()
    }

    fn is_as_described(&self, component: &str, composition: &Composition) -> bool {
        let now = self.now();
        let as_in = |component: Component| composition.recipe.is_as_in(&component);
        now.described(component).is_ok_and(as_in) && composition.recipe.renewed_files(&now.files).is_empty()
    }

    fn surface(&self, composition: &Composition) -> Surface {
        Surface::of(self.services.engine.wasmtime(), &composition.artifact.component)
    }

    fn examine(&self, component: &str, surface: &Surface, neighbours: &Neighbours) -> Vec<String> {
        examine(&self.services.now().app, component, surface, neighbours, &host_serves)
    }

    fn assemble(&self, component: &str, number: u32, composition: Composition) -> Result<Arc<Version>, String> {
        let made = self.services.assemble(&self.services.now(), component, number, composition);
        made.map_err(|error| format!("{error:#}"))
    }

    async fn migrate(&self, component: &str, files: &[(String, String)]) -> Result<Vec<String>, String> {
        let now = self.services.now();
        let Some(database) = now.databases.get(component) else {
            return Err(format!("it brings migrations, and the manifest gives `{component}` no database"));
        };
        self.migrator.migrate(database, files).await.map_err(|error| format!("{:#}", anyhow::Error::from(error)))
    }

    async fn probe(&self, component: &str, version: &Arc<Version>, path: &str) -> Result<u16, String> {
        let service = self.service(component).ok_or("it is not served")?;
        let request = Request::get(format!("http://{PROBED_HOST}{path}")).header(HOST, PROBED_HOST).body(empty());
        let request = request.map_err(|error| format!("`{path}` is no path: {error}"))?;
        let deadline = Instant::now() + service.limits().request_time();
        let context = CallContext::root("probe".into(), None, deadline, Lot::LAST);
        let answered = service.http_of(version.clone(), request, context).await;
        let (response, _guard) = answered.map_err(|failure| failure.to_string())?;
        Ok(response.status().as_u16())
    }
}
