//! `plaza up --watch`: a component whose sources change is built, and takes its own place without a restart. Where a file changes that is
//! composed into one, the manifest is applied, which composes it anew.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use glob::Pattern;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::{build, deploy::read_migrations};
use crate::{
    control::{Agreed, Manifest},
    manifest::{App, app::Component},
    rollout::{DRAIN_TIME, Order, Origin, Progress, Rollout},
};

/// Editors write a file in several steps, and people save several files: so long nothing more may come.
const QUIET: Duration = Duration::from_millis(300);

/// Watches the sources of every component that says how it is built.
pub(super) struct Watch {
    app: Arc<App>,
    rollout: Arc<Rollout>,
    manifest: Arc<dyn Manifest>,
    watched: Vec<Watched>,
    changed: mpsc::UnboundedReceiver<PathBuf>,
    _watcher: RecommendedWatcher,
}

/// A component, what its sources are, and the files that are composed into it.
struct Watched {
    id: String,
    sources: Vec<Pattern>,
    parts: Vec<Pattern>,
}

/// What a change calls for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// That a component be built.
    Build(String),
    /// That the manifest be applied.
    Apply,
}

impl Watch {
    /// Begins to watch.
    ///
    /// # Errors
    /// When there is nothing to watch, or the system does not let it.
    pub(super) fn new(app: Arc<App>, rollout: Arc<Rollout>, manifest: Arc<dyn Manifest>) -> anyhow::Result<Self> {
        let base = app.base().canonicalize().context("cannot find the manifest's folder")?;
        let watched = watched(&app, &base);
        anyhow::ensure!(
            !watched.is_empty(),
            "--watch: no component says how it is built and from what; add `watch = [\"src/**/*.rs\"]` to its [component.<id>.build]"
        );
        let (changes, changed) = mpsc::unbounded_channel();
        let watcher = start(&watched, changes)?;
        Ok(Self { app, rollout, manifest, watched, changed, _watcher: watcher })
    }

    /// Renews whatever changes, for ever.
    pub(super) async fn run(mut self) {
        while let Some(path) = self.changed.recv().await {
            let mut due: BTreeSet<Due> = concerned(&self.watched, &path).collect();
            while let Ok(Some(path)) = tokio::time::timeout(QUIET, self.changed.recv()).await {
                due.extend(concerned(&self.watched, &path));
            }
            for due in due {
                match due {
                    Due::Build(id) => {
                        if let Err(error) = renew(&self.app, &self.rollout, &id).await {
                            let reason = format!("{error:#}");
                            tracing::error!(component = id, reason, "not replaced; what served before goes on");
                        }
                    }
                    Due::Apply => {
                        tracing::info!("a file that is composed in has changed; applying the manifest");
                        let applied = self.manifest.apply(Agreed::default(), &Progress::untold()).await;
                        if let Err(refused) = applied {
                            tracing::error!(reason = %refused, "not applied; what served before goes on");
                        }
                    }
                }
            }
        }
    }
}

/// Builds a component and deploys it.
async fn renew(app: &Arc<App>, rollout: &Arc<Rollout>, id: &str) -> anyhow::Result<()> {
    tracing::info!(component = id, "its sources have changed; building it");
    let (building, only) = (app.clone(), vec![id.to_owned()]);
    tokio::task::spawn_blocking(move || build::build(&building, &only)).await??;
    let component = app.components.get(id).with_context(|| format!("there is no component {id}"))?;
    let order = Order {
        component: id.to_owned(),
        bytes: std::fs::read(&component.source)?.into(),
        migrations: component.plaza.migrations.as_deref().map(read_migrations).transpose()?.unwrap_or_default(),
        trial: None,
        drain: DRAIN_TIME,
        probe: None,
        origin: Origin::Manifest,
    };
    Ok(rollout.deploy(order, &Progress::untold()).await?)
}

fn watched(app: &App, base: &Path) -> Vec<Watched> {
    let of = |component: &Component| {
        let patterns = component.build.iter().flat_map(|build| {
            let folder = base.join(&build.workdir);
            build.watch.iter().map(move |pattern| folder.join(pattern).to_string_lossy().into_owned())
        });
        // What is composed into it is waited for as well, whoever builds that.
        let files = component.parts().filter_map(|(_, part)| part.file.canonicalize().ok());
        let files = files.map(|file| Pattern::escape(&file.to_string_lossy()));
        let sources: Vec<Pattern> = patterns.filter_map(|pattern| Pattern::new(&pattern).ok()).collect();
        let parts: Vec<Pattern> = files.filter_map(|file| Pattern::new(&file).ok()).collect();
        (!sources.is_empty() || !parts.is_empty()).then(|| Watched { id: component.id.clone(), sources, parts })
    };
    app.components.values().filter_map(of).collect()
}

fn start(watched: &[Watched], changes: mpsc::UnboundedSender<PathBuf>) -> anyhow::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let Ok(event) = event else { return };
        if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_)) {
            event.paths.into_iter().for_each(|path| _ = changes.send(path));
        }
    })?;
    let roots: BTreeSet<PathBuf> =
        watched.iter().flat_map(|one| one.sources.iter().chain(&one.parts).map(root)).collect();
    for root in roots.iter().filter(|root| root.exists()) {
        watcher.watch(root, RecursiveMode::Recursive).with_context(|| format!("cannot watch {}", root.display()))?;
    }
    Ok(watcher)
}

/// The folder below which everything lies that a pattern can match.
fn root(pattern: &Pattern) -> PathBuf {
    let plain: PathBuf = Path::new(pattern.as_str())
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?', '[']))
        .collect();
    // A file is watched by its folder: editors put a new one in its place.
    if plain.is_dir() { plain } else { plain.parent().unwrap_or(&plain).to_owned() }
}

fn concerned<'a>(watched: &'a [Watched], path: &Path) -> impl Iterator<Item = Due> + use<'a> {
    let path = path.to_owned();
    watched.iter().flat_map(move |one| {
        let among = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches_path(&path));
        let build = among(&one.sources).then(|| Due::Build(one.id.clone()));
        build.into_iter().chain(among(&one.parts).then_some(Due::Apply))
    })
}
