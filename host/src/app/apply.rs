//! The manifest, read again: what it changes is served without a restart.
//!
//! Everything that can fail comes first and leaves what is served as it is: the checks of `plaza check`, databases and
//! migrations, versions linked to their new grants and tried out. Then follows one step that cannot fail, and what is not
//! served any more finishes what it has.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use anyhow::Context;
use arc_swap::ArcSwap;
use async_trait::async_trait;
use futures::future::join_all;

use super::{
    artifacts::{self, Making},
    channels,
    options::Options,
    prepare::{self, Data},
    rollout::Workbench,
    services::{Furnished, Services},
    survey::Survey,
    work::{Under, Work, start_events, start_schedule},
};
use crate::{
    control::{Agreed, Manifest, Proposal},
    database::Database,
    engine::Engine,
    events::Tally,
    manifest,
    redis_trigger::{Listener, Listeners},
    rollout::{self, DRAIN_TIME, Held, Progress, Refused, Report, Rollout, Standing, Step, drain},
    server::Directory,
    service::{Service, Trial, Version, Versions},
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
    /// By what versions of them are made.
    pub workbench: Arc<Workbench>,
    /// Of how many parts an instance may be made: for so many the engine was started.
    pub parts_per_instance: u32,
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
        let survey = self.survey().await.map_err(failed)?;
        let digest = survey.digest();
        Ok(Proposal { digest, changes: survey.plan.changes, refused: survey.refused })
    }

    async fn apply(&self, agreed: Agreed, progress: &Progress) -> Result<(), Refused> {
        // What has to be compiled is compiled before others are held up; what is wrong with it is told once it counts.
        _ = self.survey().await;
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
        self.look_again(&held).await;
        drop(held);
        let cut_off = progress.step(Step::Drain, async { Ok(former.finish(DRAIN_TIME).await) }).await?;
        progress.tell(Report::Applied { changes, cut_off });
        Ok(())
    }
}

impl Applying {
    /// Another manifest may let versions answer that could not before.
    async fn look_again(&self, held: &Held<'_>) {
        if let Err(error) = self.rollout.look_again(held).await {
            tracing::warn!(%error, "what could not be served before is looked at later");
        }
    }

    /// The survey, if it is what was agreed to and nothing is wrong with it.
    async fn agreed_to(&self, agreed: Agreed) -> Result<(Survey, String), Vec<String>> {
        let survey = self.survey().await.map_err(told)?;
        if !survey.refused.is_empty() {
            return Err(survey.refused);
        }
        if agreed.plan.is_some_and(|plan| plan != survey.digest()) {
            return Err(vec!["the plan has changed since it was shown; run `plaza apply` again".to_owned()]);
        }
        let detail = match survey.plan.changes.len() {
            0 => "nothing changes".to_owned(),
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        };
        Ok((survey, detail))
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
        let Survey { app, files, plan, loaded, compositions, .. } = survey;
        let remade = self.remade(plan, app, &data.values);
        let keep = |id: &str| !remade.contains(id);
        let next = Arc::new(self.services.furnish(app.clone(), data.values, data.databases, &keep)?);
        let directory = next.directory()?;
        let listeners = channels::listeners(&next)?;
        let ledger = self.rollout.ledger();
        let mut versions = Vec::new();
        for id in &remade {
            let Some(active) = next.services.get(id.as_str()).and_then(|service| service.active()) else { continue };
            let composition = compositions.get(id).unwrap_or(&active.composition).clone();
            let version = self.services.assemble(&next, id, active.number, composition)?;
            versions.push((id.clone(), Versions::only(version)));
        }
        let standings = rollout::open(ledger, &artifacts::files(loaded), self.options.files_only).await?;
        let (services, furnished) = (&*self.services, &*next);
        let making = Making { loaded, files, ledger, services, furnished, load: Engine::load_aside };
        for (id, standing) in &standings {
            let (active, _) = making.version(id, &standing.active).await?;
            let trial = match &standing.trial {
                Some(tried) => {
                    let (version, _) = making.version(id, &tried.version).await?;
                    Some(Trial { version, share: tried.share })
                }
                None => None,
            };
            versions.push((id.clone(), Versions { active, trial }));
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
        self.workbench.take_up(survey.app.clone(), survey.files.clone());
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
            // What began under the former routes may not have got to its component yet, or ask it on its way.
            let last = async {
                while !removed.is_empty() && Arc::strong_count(&directory) > 1 {
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

impl Survey {
    /// What its plan is recognised by.
    fn digest(&self) -> String {
        self.plan.digest(&self.files, self.loaded.values().map(|loaded| loaded.file.hash.as_str()))
    }
}

fn told(error: impl Into<anyhow::Error>) -> Vec<String> {
    vec![format!("{:#}", error.into())]
}

fn failed(error: anyhow::Error) -> Refused {
    Refused::at_once(format!("{error:#}"))
}
