//! `plaza deploy`: a new version of a component, while it serves.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Args;
use reqwest::multipart::{Form, Part};

use super::{
    operator::{self, ControlFlags},
    options::ManifestFlag,
};
use crate::{
    control::upload::{COMPONENT, MIGRATION, Manner, too_large},
    digest::sha256,
    limits::ARTIFACT_BYTES,
    manifest,
    service::Share,
};

/// Replace a component while it serves, and lose nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza deploy hello                                 the manifest's file, built anew
  plaza deploy hello hello-2.wasm                   another file
  plaza deploy hello hello-2.wasm --canary 10%      on a tenth of the requests first
  plaza deploy hello --probe /hello/health   only if it answers this path
  plaza deploy hello --control http://10.0.0.7:3001 --token-file token --yes
It exits with 1 when the new version is refused; then nothing has changed.")]
pub(super) struct Deploy {
    /// The component's id in the manifest
    component: String,

    /// The .wasm file [default: the one that the manifest names]
    file: Option<PathBuf>,

    #[command(flatten)]
    manifest: ManifestFlag,

    /// Folder of migrations to send along [default: the one that the manifest names]
    #[arg(long, value_name = "FOLDER")]
    migrations: Option<PathBuf>,

    /// Try it on a share of the requests first; it is promoted or taken back by itself
    #[arg(long, value_name = "SHARE")]
    canary: Option<Share>,

    /// How long it is tried [default: 1m]
    #[arg(long, value_name = "TIME", requires = "canary", value_parser = humantime::parse_duration)]
    canary_window: Option<Duration>,

    /// How long the version before gets to finish what it has
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    drain_timeout: Duration,

    /// A path that it must answer, with a status below 400, before it is let in
    #[arg(long, value_name = "PATH")]
    probe: Option<String>,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    control: ControlFlags,
}

impl Deploy {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (file, folder) = self.sources()?;
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let migrations = folder.as_deref().map(read_migrations).transpose()?.unwrap_or_default();
        let size = bytes.len() + migrations.iter().map(|(_, text)| text.len()).sum::<usize>();
        if size > ARTIFACT_BYTES {
            bail!("{} is too large ({} MiB): {}", file.display(), size / (1024 * 1024), too_large());
        }
        if !self.yes && !self.agreed(&file, &bytes, &migrations)? {
            bail!("not deployed");
        }
        let manner = Manner {
            canary: self.canary.map(|share| format!("{}%", f64::from(share.ten_thousandths()) / 100.0)),
            canary_seconds: self.canary_window.map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
            drain_ms: u64::try_from(self.drain_timeout.as_millis()).ok(),
            probe: self.probe.clone(),
        };
        let mut form = Form::new().part(COMPONENT, Part::bytes(bytes).file_name("component.wasm"));
        for (name, text) in migrations {
            form = form.part(MIGRATION, Part::text(text).file_name(name));
        }
        let done = operator::run(async {
            let operator = self.control.operator()?;
            let path = format!("/components/{}/deploy", self.component);
            operator.change(operator.post(&path).query(&manner).multipart(form)).await
        })?;
        Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The file and the migrations to send: as given, else as the manifest says.
    fn sources(&self) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
        let source = self.manifest.source();
        let manifest = &source.file;
        if !manifest.is_file() {
            let file = self.file.clone().with_context(|| {
                format!("name the .wasm file, or the manifest with -f: there is no {}", manifest.display())
            })?;
            return Ok((file, self.migrations.clone()));
        }
        let app = manifest::load(&source).map_err(crate::error::faults)?;
        let component = app.components.get(&self.component);
        let file = self.file.clone().or_else(|| component.map(|component| component.source.clone()));
        let file = file.with_context(|| {
            let names = manifest::did_you_mean(&self.component, app.components.keys().map(String::as_str));
            format!("{} has no component `{}`; {names}", manifest.display(), self.component)
        })?;
        let folder = component.and_then(|component| component.plaza.migrations.clone());
        Ok((file, self.migrations.clone().or(folder)))
    }

    /// Asks a person, if there is one.
    fn agreed(&self, file: &Path, bytes: &[u8], migrations: &[(String, String)]) -> anyhow::Result<bool> {
        if !std::io::stdin().is_terminal() {
            return Ok(true);
        }
        let hash = sha256(bytes);
        let short = hash.get(..12).unwrap_or(&hash);
        let brings = if migrations.is_empty() { String::new() } else { format!(", {} migrations", migrations.len()) };
        operator::agreed(&format!(
            "Replace `{}` by {} ({short}, {} KiB{brings})?",
            self.component,
            file.display(),
            bytes.len() / 1024
        ))
    }
}

/// Names and texts of a folder's `.sql` files.
pub(super) fn read_migrations(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let failed = || format!("cannot read the migrations in {}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") && !name.starts_with('.') {
            files.push((name, std::fs::read_to_string(entry.path()).with_context(failed)?));
        }
    }
    files.sort();
    Ok(files)
}
