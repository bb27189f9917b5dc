//! What the manifest says, read again and held against what is served.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use anyhow::Context;

use super::{
    apply::Applying,
    artifacts::{self, Loaded},
    check, host_serves,
    plan::Plan,
    prepare,
    recompose::{Recomposed, recompose},
    services::Furnished,
};
use crate::{
    compose::{Composition, Files},
    digest::sha256,
    engine::Engine,
    manifest::{self, App, runtime_config::RuntimeConfig},
    rollout::{self, Neighbours},
    service::contract::Surface,
};

/// What the manifest says now, and what that would change.
pub struct Survey {
    /// The manifest.
    pub app: Arc<App>,
    /// What the files of its dependencies hold now.
    pub files: Files,
    /// What it would change.
    pub plan: Plan,
    /// The files of the components that are new.
    pub loaded: BTreeMap<String, Loaded>,
    /// What is to be run of components that are composed otherwise.
    pub compositions: BTreeMap<String, Composition>,
    /// Why it cannot be served.
    pub refused: Vec<String>,
}

impl Applying {
    /// Reads the manifest and holds it against what is served.
    ///
    /// # Errors
    /// When the ledger or a file cannot be read.
    pub(super) async fn survey(&self) -> anyhow::Result<Survey> {
        let (engine, source, now) = (self.services.engine.clone(), self.options.manifest.clone(), self.services.now());
        let taken_up = self.workbench.now();
        let former = taken_up.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut reading = manifest::read(&source);
            reading.leave_out_unused();
            let files = Files::read(reading.app.components.values()).or(&taken_up.files);
            (reading, files)
        });
        let (reading, files) = reading.await.context("reading the manifest was interrupted")?;
        let recomposed = recompose(&reading.app, &files, &now, self.rollout.ledger(), &engine).await;
        let mut running = self.running();
        running.extend(recomposed.surfaces(&engine));
        let runtime_config = self.options.runtime_config.clone();
        let checking = tokio::task::spawn_blocking(move || {
            let name = "a file of the manifest";
            let compile = |bytes: &[u8]| {
                let loaded = engine.load_aside(bytes, name).map(|artifact| artifact.component);
                loaded.map_err(|error| error.root_cause().to_string())
            };
            let known = check::Known { running: &running, served: &host_serves };
            let faults = check::faults(&reading, &runtime_config, engine.wasmtime(), &compile, known);
            (reading.app, faults)
        });
        let (app, faults) = checking.await.context("checking the manifest was interrupted")?;
        let app = Arc::new(app);
        if !faults.is_empty() {
            let refused = faults.iter().map(ToString::to_string).collect();
            let (plan, loaded, compositions) = Default::default();
            return Ok(Survey { app, files, plan, loaded, compositions, refused });
        }
        let mut plan = Plan::between(&now.app, &app, &prepare::set_outside(&self.options));
        for (id, renewed) in &recomposed.renewed {
            plan.composed_anew(id, renewed, &files, &app);
        }
        plan.unused_anew(&former.files, &files, &app);
        for id in app.components.keys() {
            if let Some(unserved) = self.rollout.unserved(id) {
                plan.looked_at_again(id, &unserved.version);
            }
        }
        let added = app.components.values().filter(|component| plan.added.contains(&component.id));
        let loaded = artifacts::load(added, &files, &self.services.engine, Engine::load_aside).await?;
        let mut refused: Vec<String> = plan.restart.iter().map(|what| format!("takes a restart: {what}")).collect();
        if self.database.is_none() && prepare::needs_database(&app, &RuntimeConfig::default()) {
            refused.push("takes a restart: it needs a database, and this host runs without one".to_owned());
        }
        refused.extend(prepare::short_of_connections(&app, self.database.as_deref()));
        refused.extend(prepare::too_many_parts(&app, self.parts_per_instance));
        refused.extend(loaded.values().filter_map(|loaded| loaded.composition.as_ref().err().cloned()));
        refused.extend(self.not_deployed(&app, &plan).await?);
        match prepare::foreseen(&app, &self.options, &now.values) {
            Ok(values) => refused.extend(self.on_trial(&plan, &self.remade(&plan, &app, &values))),
            Err(unset) => refused.extend(unset),
        }
        refused.extend(self.unfit(&app, &now, &loaded, &recomposed));
        let Recomposed { compositions, refused: uncomposed, .. } = recomposed;
        refused.extend(uncomposed);
        Ok(Survey { app, files, plan, loaded, compositions, refused })
    }

    /// What the components that are served need and offer.
    fn running(&self) -> BTreeMap<String, Surface> {
        let now = self.services.now();
        let active = now.services.iter().filter_map(|(id, service)| Some((id.to_string(), service.active()?)));
        active.map(|(id, version)| (id, Surface::clone(&version.surface))).collect()
    }

    /// Files of components that are served already: such a file answers once it is deployed.
    async fn not_deployed(&self, app: &App, plan: &Plan) -> anyhow::Result<Vec<String>> {
        let mut reasons = Vec::new();
        for id in &plan.moved {
            let Some(component) = app.components.get(id) else { continue };
            let hash = sha256(artifacts::read(&component.source)?);
            if !self.rollout.ledger().versions(id).await?.iter().any(|kept| kept.version.hash == hash) {
                let file = component.source.display();
                reasons.push(format!("`{id}` names another file, {file}: run `plaza deploy {id}` first"));
            }
        }
        Ok(reasons)
    }

    /// Components that are changed while a version of them is on trial.
    fn on_trial(&self, plan: &Plan, remade: &BTreeSet<String>) -> Vec<String> {
        let standings = self.rollout.standings();
        let changed = remade.iter().chain(&plan.removed);
        let tried = changed.filter_map(|id| Some((id, standings.get(id)?.trial.as_ref()?.version.number)));
        let advice = |(id, number): (&String, u32)| {
            format!(
                "v{number} of `{id}` is on trial: end that first with `plaza promote {id}` or `plaza rollback {id}`"
            )
        };
        tried.map(advice).collect()
    }

    /// Whether the versions that answer, which may be others than the manifest's files, fit what it says.
    fn unfit(
        &self,
        app: &App,
        now: &Furnished,
        loaded: &BTreeMap<String, Loaded>,
        recomposed: &Recomposed,
    ) -> Vec<String> {
        let others = recomposed.surfaces(&self.services.engine);
        let surfaces = |id: &String| -> Vec<Arc<Surface>> {
            if let Some(surface) = others.get(id) {
                return vec![Arc::new(surface.clone())];
            }
            match (loaded.get(id), now.services.get(id.as_str()).and_then(|service| service.versions())) {
                (Some(file), _) => {
                    let of = |composition: &Composition| {
                        Arc::new(Surface::of(self.services.engine.wasmtime(), &composition.artifact.component))
                    };
                    file.composition.iter().map(of).collect()
                }
                (None, Some(versions)) => versions.all().map(|version| version.surface.clone()).collect(),
                (None, None) => Vec::new(),
            }
        };
        let neighbours: Neighbours = app.components.keys().map(|id| (id.clone(), surfaces(id))).collect();
        let each = neighbours.iter().flat_map(|(id, surfaces)| surfaces.iter().map(move |surface| (id, surface)));
        let reasons = each.flat_map(|(id, surface)| {
            let reasons = rollout::examine(app, id, surface, &neighbours, &host_serves);
            reasons.into_iter().map(move |reason| format!("`{id}`: {reason}"))
        });
        reasons.collect()
    }

    /// Components whose instances are given something else, be it by their own settings or by a variable's value.
    pub(super) fn remade(&self, plan: &Plan, app: &App, values: &BTreeMap<String, String>) -> BTreeSet<String> {
        let now = self.services.now();
        let names: BTreeSet<&String> = now.values.keys().chain(values.keys()).collect();
        let changed: Vec<&String> =
            names.into_iter().filter(|name| now.values.get(*name) != values.get(*name)).collect();
        let kept = app.components.values().filter(|component| !plan.added.contains(&component.id));
        let given = kept.filter(|component| {
            plan.remade.contains(&component.id) || changed.iter().any(|name| component.names(name))
        });
        given.map(|component| component.id.clone()).collect()
    }
}
