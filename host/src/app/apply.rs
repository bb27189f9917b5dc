//! The manifest, read again: what it changes is served without a restart.
//!
//! Everything that can fail comes first and leaves what is served as it is: the checks of `plaza check`, databases and
//! migrations, versions linked to their new grants and tried out. Then follows one step that cannot fail, and what is not
//! served any more finishes what it has.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures::future::join_all;

use super::{
    artifacts::{self, Loaded, standing_versions},
    channels, check, host_serves,
    options::Options,
    plan::Plan,
    prepare::{self, Data},
    services::{Furnished, Services},
    work::{Under, Work, start_events, start_schedule},
};
use crate::{
    control::{Agreed, Manifest, Proposal},
    database::Database,
    digest::sha256,
    events::Tally,
    manifest::{self, App},
    redis_trigger::{Listener, Listeners},
    rollout::{self, DRAIN_TIME, Neighbours, Progress, Refused, Report, Rollout, Standing, Step, drain},
    server::Directory,
    service::{Service, Version, Versions, contract::Surface},
};

/// How often one looks whether the last request that came under former routes has been answered.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a running application changes by.
pub struct Applying {
    /// What it was started with.
    pub options: Options,
    /// Its database server.
    pub database: Option<Arc<Database>>,
    /// Its services.
    pub services: Arc<Services>,
    /// Its versions.
    pub rollout: Arc<Rollout>,
    /// Its routes.
    pub directory: Arc<ArcSwap<Directory>>,
    /// Its events and ticks.
    pub work: Arc<Work>,
    /// Its components on Redis channels.
    pub listeners: Arc<Listeners>,
    /// What is counted of its events.
    pub tally: Arc<Tally>,
}

/// What the manifest says now, and what that would change.
struct Survey {
    app: Arc<App>,
    plan: Plan,
    /// The files of the components that are new.
    loaded: BTreeMap<String, Loaded>,
    refused: Vec<String>,
}

/// What is ready to be served.
struct Ready {
    next: Arc<Furnished>,
    directory: Directory,
    versions: Vec<(String, Versions)>,
    standings: BTreeMap<String, Standing>,
    work: Under,
    listeners: Vec<Listener>,
}

/// What is served no more and may still have something to finish.
struct Former {
    versions: Vec<(String, Vec<Arc<Version>>)>,
    directory: Arc<Directory>,
    removed: Vec<Arc<Service>>,
    work: Under,
}

#[async_trait]
impl Manifest for Applying {
    async fn plan(&self) -> Result<Proposal, Refused> {
        let Survey { plan, refused, .. } = self.survey().await.map_err(failed)?;
        Ok(Proposal { digest: digest(&plan), changes: plan.changes, refused })
    }

    async fn apply(&self, agreed: Agreed, progress: &Progress) -> Result<(), Refused> {
        let held = self.rollout.hold().await?;
        let survey = progress.step(Step::Check, self.agreed_to(agreed)).await?;
        let changes = survey.plan.changes.len();
        if changes == 0 {
            progress.tell(Report::Applied { changes, cut_off: 0 });
            return Ok(());
        }
        let data = progress.step(Step::Migrate, self.data(&survey)).await?;
        let ready = progress.step(Step::Instantiate, self.make_ready(&survey, data)).await?;
        let former = progress.step(Step::Switch, async { Ok(self.switch(&survey, ready)) }).await?;
        drop(held);
        let cut_off = progress.step(Step::Drain, async { Ok(former.finish(DRAIN_TIME).await) }).await?;
        progress.tell(Report::Applied { changes, cut_off });
        Ok(())
    }
}

impl Applying {
    /// Reads the manifest and holds it against what is served.
    async fn survey(&self) -> anyhow::Result<Survey> {
        let (engine, source, running) = (self.services.engine.clone(), self.options.manifest.clone(), self.running());
        let runtime_config = self.options.runtime_config.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let mut reading = manifest::read(&source);
            reading.leave_out_unused();
            let name = "a file of the manifest";
            let compile = |bytes: &[u8]| {
                let loaded = engine.load_aside(bytes, name).map(|artifact| artifact.component);
                loaded.map_err(|error| error.root_cause().to_string())
            };
            let known = check::Known { running: &running, served: &host_serves };
            let faults = check::faults(&reading, &runtime_config, engine.wasmtime(), &compile, known);
            (reading.app, faults)
        });
        let (app, faults) = reading.await.context("reading the manifest was interrupted")?;
        let (app, now) = (Arc::new(app), self.services.now());
        if !faults.is_empty() {
            let refused = faults.iter().map(ToString::to_string).collect();
            return Ok(Survey { app, plan: Plan::default(), loaded: BTreeMap::new(), refused });
        }
        let plan = Plan::between(&now.app, &app, &prepare::set_outside(&self.options));
        let added = app.components.values().filter(|component| plan.added.contains(&component.id));
        let loaded = artifacts::load(added, &self.services.engine).await?;
        let mut refused: Vec<String> = plan.restart.iter().map(|what| format!("takes a restart: {what}")).collect();
        if self.database.is_none() && prepare::needs_database(&app) {
            refused.push("takes a restart: it needs a database, and this host runs without one".to_owned());
        }
        refused.extend(prepare::short_of_connections(&app, self.database.as_deref()));
        refused.extend(self.not_deployed(&app, &plan).await?);
        match prepare::foreseen(&app, &self.options, &now.values) {
            Ok(values) => refused.extend(self.on_trial(&plan, &self.remade(&plan, &app, &values))),
            Err(unset) => refused.extend(unset),
        }
        refused.extend(self.unfit(&app, &now, &loaded));
        Ok(Survey { app, plan, loaded, refused })
    }

    /// What the components that are served need and offer.
    fn running(&self) -> BTreeMap<String, Surface> {
        let now = self.services.now();
        let active = now.services.iter().filter_map(|(id, service)| Some((id.to_string(), service.active()?)));
        active.map(|(id, version)| (id, version.surface.clone())).collect()
    }

    /// The survey, if it is what was agreed to and nothing is wrong with it.
    async fn agreed_to(&self, agreed: Agreed) -> Result<(Survey, String), Vec<String>> {
        let survey = self.survey().await.map_err(told)?;
        if !survey.refused.is_empty() {
            return Err(survey.refused);
        }
        if agreed.plan.is_some_and(|plan| plan != digest(&survey.plan)) {
            return Err(vec!["the plan has changed since it was shown; run `plaza apply` again".to_owned()]);
        }
        let detail = match survey.plan.changes.len() {
            0 => "nothing changes".to_owned(),
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        };
        Ok((survey, detail))
    }

    /// Files of components that are served already: such a file answers once it is deployed.
    async fn not_deployed(&self, app: &App, plan: &Plan) -> anyhow::Result<Vec<String>> {
        let mut reasons = Vec::new();
        for id in &plan.moved {
            let Some(component) = app.components.get(id) else { continue };
            let hash = sha256(artifacts::read(component)?);
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
    fn unfit(&self, app: &App, now: &Furnished, loaded: &BTreeMap<String, Loaded>) -> Vec<String> {
        let surfaces = |id: &String| -> Vec<Surface> {
            match (loaded.get(id), now.services.get(id.as_str()).and_then(|service| service.versions())) {
                (Some(file), _) => vec![Surface::of(self.services.engine.wasmtime(), &file.artifact.component)],
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
    fn remade(&self, plan: &Plan, app: &App, values: &BTreeMap<String, String>) -> BTreeSet<String> {
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

    /// Databases and values, made and migrated as at a start; of what is served already only what the manifest changes.
    async fn data(&self, survey: &Survey) -> Result<(Data, String), Vec<String>> {
        let migrated = |component: &manifest::app::Component| survey.plan.migrated.contains(&component.id);
        let data =
            prepare::data(&survey.app, &self.options, self.database.as_deref(), &migrated).await.map_err(told)?;
        let detail = match data.migrations {
            0 => "nothing new".to_owned(),
            1 => "1 migration applied".to_owned(),
            count => format!("{count} migrations applied"),
        };
        Ok((data, detail))
    }

    /// Everything that is served anew, made and tried out.
    async fn make_ready(&self, survey: &Survey, data: Data) -> Result<(Ready, String), Vec<String>> {
        let ready = self.ready(survey, data).await.map_err(told)?;
        let detail = format!("{} components made ready", ready.versions.len());
        Ok((ready, detail))
    }

    async fn ready(&self, survey: &Survey, data: Data) -> anyhow::Result<Ready> {
        let Survey { app, plan, loaded, .. } = survey;
        let remade = self.remade(plan, app, &data.values);
        let keep = |id: &str| !remade.contains(id);
        let next = Arc::new(self.services.furnish(app.clone(), data.values, data.databases, &keep)?);
        let directory = next.directory()?;
        let listeners = channels::listeners(&next)?;
        let ledger = self.rollout.ledger();
        let mut versions = Vec::new();
        for id in &remade {
            let Some(active) = next.services.get(id.as_str()).and_then(|service| service.active()) else { continue };
            let version = self.services.assemble(&next, id, active.number, active.artifact.clone())?;
            versions.push((id.clone(), Versions::only(version)));
        }
        let standings = rollout::open(ledger, &artifacts::files(loaded), self.options.files_only).await?;
        for (id, standing) in &standings {
            let made = standing_versions(id, standing, loaded.get(id), ledger, &self.services, &next).await?;
            versions.push((id.clone(), made.0));
        }
        for (id, made) in &versions {
            for version in made.all() {
                let tried = version.try_out().await.map_err(anyhow::Error::from);
                tried.with_context(|| format!("component {id} cannot be instantiated"))?;
                if let Some(active) = next.services.get(id.as_str()).and_then(|service| service.active()) {
                    version.warm_up(&active).await;
                }
            }
        }
        let mut work = Under::default();
        if let Some(database) = &self.database {
            if plan.events {
                let kafka = self.options.kafka.as_ref();
                work.events = Some(start_events(&next.app, &*next, database, kafka, self.tally.clone()).await?);
            }
            if plan.ticks {
                work.schedule = Some(start_schedule(&next.app, &*next, database));
            }
        }
        Ok(Ready { next, directory, versions, standings, work, listeners })
    }

    /// From now on the manifest is served. Versions first, so that no route leads to a component that has none.
    fn switch(&self, survey: &Survey, ready: Ready) -> (Former, String) {
        let Ready { next, directory, versions, standings, work, listeners } = ready;
        let before = self.services.now();
        let mut former = Vec::new();
        for (id, versions) in versions {
            let Some(service) = next.services.get(id.as_str()) else { continue };
            if let Some(component) = next.app.components.get(&id) {
                service.set_limits(component.plaza.limits.clone());
            }
            former.push((id, service.switch(versions)));
        }
        for (id, standing) in standings {
            self.rollout.took_up(&id, standing);
        }
        self.services.switch_to(next);
        let directory = self.directory.swap(Arc::new(directory));
        let removed = &survey.plan.removed;
        removed.iter().for_each(|id| self.rollout.gave_up(id));
        let removed = removed.iter().filter_map(|id| before.services.get(id.as_str()).cloned()).collect();
        let work = self.work.replace(work);
        self.listeners.become_these(listeners);
        survey.plan.changes.iter().for_each(|change| tracing::info!(change, "applied"));
        let detail = format!("{} is served", survey.app.manifest.display());
        (Former { versions: former, directory, removed, work }, detail)
    }
}

impl Former {
    /// Lets it finish within `patience`; returns how much had to be cut off.
    async fn finish(self, patience: Duration) -> (usize, String) {
        let Self { versions, directory, removed, work } = self;
        let replaced =
            join_all(versions.into_iter().map(|(id, former)| async move { drain(&id, former, patience).await }));
        let answered = async {
            // A request that came under the former routes may not have got to its component yet.
            let last = async {
                while Arc::strong_count(&directory) > 1 {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            _ = tokio::time::timeout(patience, last).await;
        };
        let (replaced, (), ()) = tokio::join!(replaced, answered, work.stop(patience));
        // These come last: what was replaced may have called them to its end.
        let ended = removed.iter().map(|service| drain(&service.id, service.close(), patience));
        let ended = join_all(ended).await;
        let cut: usize = replaced.into_iter().chain(ended).sum();
        let detail = if cut == 0 { "nothing was cut off".to_owned() } else { format!("{cut} were cut off") };
        (cut, detail)
    }
}

/// What a plan is recognised by.
fn digest(plan: &Plan) -> String {
    sha256(plan.changes.join("\n"))
}

fn told(error: impl Into<anyhow::Error>) -> Vec<String> {
    vec![format!("{:#}", error.into())]
}

fn failed(error: anyhow::Error) -> Refused {
    Refused::at_once(format!("{error:#}"))
}
