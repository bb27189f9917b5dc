//! `plaza migrate`: creates and migrates the components' databases without serving.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Args;

use super::{
    options::{ManifestFlag, ServerFlags},
    output::outln,
    variables,
};
use crate::{
    app::{self, Variables},
    database::DatabaseSettings,
    manifest::runtime_config::PREFIX,
    telemetry,
};

/// Create the components' databases and bring them up to date, without serving.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plaza migrate                                the embedded server of ./.plaza
  plaza migrate --database-url postgres://admin:secret@db.example.com/postgres
  plaza migrate --variables-to .plaza/spin.env && set -a && . .plaza/spin.env && set +a && spin up")]
pub struct Migrate {
    #[command(flatten)]
    manifest: ManifestFlag,

    #[command(flatten)]
    data: ServerFlags,

    /// Write into this file what Spin must be told, as SPIN_VARIABLE_<NAME>=… for a shell: addresses of databases and generated
    /// values, of everything that nobody sets. Secrets are among them; its owner alone can read it
    #[arg(long, value_name = "FILE")]
    variables_to: Option<PathBuf>,
}

impl Migrate {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let _log = telemetry::init(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let manifest = self.manifest.source();
        let external_url = self.data.database_url()?;
        let folder = manifest.file.parent().unwrap_or(Path::new(""));
        let environment = self.variables_to.as_ref().map(|_| variables::around(folder, &[])).transpose()?;
        ensure!(
            environment.is_none() || external_url.is_some(),
            "--variables-to: the embedded server ends with this command; name one that stays with --database-url"
        );
        let settings = DatabaseSettings {
            state_dir: self.data.state_dir,
            postgres_dir: self.data.postgres_dir,
            external_url,
            component_connections: 0,
        };
        let migrated = runtime.block_on(app::migrate(&manifest, settings, environment.as_ref()))?;
        for (component, applied) in migrated.applied {
            match applied.as_slice() {
                [] => outln!("{component}: up to date"),
                names => outln!("{component}: applied {}", names.join(", ")),
            }
        }
        if let (Some(file), Some(variables)) = (&self.variables_to, &migrated.variables) {
            keep(file, &lines(&variables.made)).with_context(|| format!("cannot write {}", file.display()))?;
            tell(file, variables);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(file: &Path, variables: &Variables) {
    outln!("{}: {} variables", file.display(), variables.made.len());
    for name in &variables.unset {
        outln!("{name}: required and not set; give SPIN_VARIABLE_{}", name.to_ascii_uppercase());
    }
}

/// Lines for a shell, which reads nothing into what stands in single quotes.
fn lines(values: &BTreeMap<String, String>) -> String {
    let line = |(name, value): (&String, &String)| {
        format!("{PREFIX}_{}='{}'\n", name.to_ascii_uppercase(), value.replace('\'', r"'\''"))
    };
    values.iter().map(line).collect()
}

/// Writes a file that its owner alone can read, whatever was there before.
fn keep(file: &Path, text: &str) -> std::io::Result<()> {
    let mut draft = file.as_os_str().to_owned();
    draft.push(".draft");
    _ = fs::remove_file(&draft);
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    written.write_all(text.as_bytes())?;
    fs::rename(&draft, file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_written_is_for_its_owner_and_a_shell_reads_it_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.env");
        fs::write(&file, "what was there before").unwrap();
        let values = [("colour", "it's $red"), ("url", "postgres://a:b%20@c/d?e=f&g")];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        keep(&file, &lines(&values)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let script = ". \"$0\" && printf '%s|%s' \"$SPIN_VARIABLE_COLOUR\" \"$SPIN_VARIABLE_URL\"";
        let read = std::process::Command::new("sh").args(["-euc", script]).arg(&file).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout), "it's $red|postgres://a:b%20@c/d?e=f&g");
    }
}
