//! Schemathesis, installed and run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::LazyLock,
};

use plaza_tests::{Shop, python};

use crate::{WEBHOOK_SECRET, identities::Identities, report::Report};

/// Cases for each operation in a long run, which seldom gets there in its time.
const CASES_MAX: u32 = 5000;
/// Cases for each operation, and ways along its links, in a short run: about a minute.
const SHORT_CASES: u32 = 6;
/// The seed of a short run.
const SEED: u32 = 20_261_124;

/// How far a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A few cases for each operation, always the same.
    Short,
    /// As many as there is time for, others each time.
    Minutes(u32),
    /// The links of the document alone, in another order each round.
    Round(u32),
}

impl Extent {
    /// As long as `make fuzz` wishes, else short.
    pub fn from_environment() -> Self {
        match std::env::var("PLAZA_FUZZ_MINUTES") {
            Ok(minutes) => Self::Minutes(minutes.parse().expect("PLAZA_FUZZ_MINUTES is a number of minutes")),
            Err(_) => Self::Short,
        }
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::Short => vec![format!("--seed={SEED}"), format!("--max-examples={SHORT_CASES}")],
            Self::Minutes(minutes) => {
                vec![format!("--max-time={}", minutes * 60), format!("--max-examples={CASES_MAX}")]
            }
            Self::Round(round) => vec!["--phases=stateful".to_owned(), format!("--seed={}", SEED + round)],
        }
    }
}

/// An environment of its own in the build folder, with the versions that are pinned beside this file.
pub struct Schemathesis {
    program: PathBuf,
}

impl Schemathesis {
    /// Installs it, once for each version of the pins.
    pub fn installed() -> &'static Self {
        static INSTALLED: LazyLock<Schemathesis> = LazyLock::new(|| {
            let programs = python::installed("fuzz-venv", &own("requirements.txt"));
            Schemathesis { program: programs.join("st") }
        });
        &INSTALLED
    }

    /// Runs it against this shop. Fails the test, with all that it printed, when it found something.
    pub async fn run(&self, shop: &Shop, identities: &Identities, role: &str, extent: Extent) -> Report {
        let report = identities.folder().join("report.ndjson");
        let mut command = tokio::process::Command::new(&self.program);
        command
            .arg("--config-file")
            .arg(configuration(identities, role))
            .args(["--no-color", "run", &format!("{}/openapi.json", shop.host.base())])
            .args(extent.arguments())
            .arg("--report-ndjson-path")
            .arg(&report)
            .env("PLAZA_FUZZ_HOOKS", own("hooks.py"))
            .env("PLAZA_FUZZ_IDENTITIES", identities.path())
            .env("PLAZA_FUZZ_ROLE", role)
            .env("PLAZA_FUZZ_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .current_dir(identities.folder())
            .stdin(Stdio::null());
        let output = command.kill_on_drop(true).output().await.expect("Schemathesis can be run");
        let printed = String::from_utf8_lossy(&output.stdout);
        println!("{printed}");
        assert!(output.status.success(), "as {role}:\n{printed}\n{}", String::from_utf8_lossy(&output.stderr));
        Report::read(&report)
    }
}

/// The configuration file for a role: what holds for all, and what for this one alone.
fn configuration(identities: &Identities, role: &str) -> PathBuf {
    let parts = ["schemathesis.toml", &format!("{role}.toml")].map(|name| fs::read_to_string(own(name)));
    let path = identities.folder().join("schemathesis.toml");
    fs::write(&path, parts.map(|part| part.expect("a part of the configuration")).concat())
        .expect("the folder can be written");
    path
}

/// A file beside this one.
fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}
