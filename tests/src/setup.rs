//! How a host is started.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use crate::{compiled, host::Host, manifest::Manifest, secrets::Secrets, state::StateFolder};

/// Arguments and surroundings of one `plaza`.
#[derive(Clone)]
pub struct Setup {
    manifest: PathBuf,
    listen: String,
    control: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    wrapper: Vec<String>,
    takes_over_compiled: bool,
    logs_anything: bool,
    relays_to: Option<String>,
    #[expect(dead_code, reason = "the file is there for as long as somebody holds it")]
    kept: Option<Manifest>,
    state: Arc<StateFolder>,
}

/// How a process ended, and what it had printed.
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All of its stdout.
    pub stdout: String,
    /// All of its stderr.
    pub stderr: String,
    /// What it was started with, to start it again.
    pub setup: Setup,
}

impl Setup {
    /// The application of this manifest, in a state folder of its own, on free ports.
    pub fn of(manifest: impl AsRef<Path>) -> Self {
        let manifest = workspace().join(manifest);
        Self {
            manifest,
            listen: "127.0.0.1:0".to_owned(),
            control: "127.0.0.1:0".to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            wrapper: Vec::new(),
            takes_over_compiled: true,
            logs_anything: false,
            relays_to: None,
            kept: None,
            state: Arc::new(StateFolder::new()),
        }
    }

    /// The application of this name in a registry without TLS.
    pub fn in_registry(reference: &str) -> Self {
        Self { manifest: reference.into(), ..Self::of("") }.argument("--insecure")
    }

    /// The shop.
    pub fn shop() -> Self {
        Self::of("spin.toml")
    }

    /// The small guests that show how the platform behaves.
    pub fn platform() -> Self {
        Self::of("tests/apps/platform/spin.toml")
    }

    /// A relay beside the application of this manifest, which is served at an address, with the databases on this server.
    pub fn relay(manifest: impl AsRef<Path>, target: &str, database_url: &str) -> Self {
        let relay = Self { relays_to: Some(target.to_owned()), ..Self::of(manifest) };
        relay.argument("--database-url").argument(database_url)
    }

    /// The application of another manifest, on what this one has left.
    pub fn manifest(mut self, manifest: impl AsRef<Path>) -> Self {
        self.manifest = workspace().join(manifest);
        self
    }

    /// The same, of a manifest that is kept for as long as the setup is.
    pub fn manifest_in(self, manifest: Manifest) -> Self {
        Self { kept: Some(manifest.clone()), ..self.manifest(manifest.path()) }
    }

    /// With nothing compiled before. Other hosts take over what those of other tests have compiled.
    pub fn compiles_all(mut self) -> Self {
        self.takes_over_compiled = false;
        self
    }

    /// With one more argument.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// With a variable of the application: `name=value`.
    pub fn variable(self, setting: &str) -> Self {
        self.argument("--variable").argument(setting)
    }

    /// With an environment variable.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a log that nobody looks through for secrets, for guests that print such things on purpose.
    pub fn logs_anything(mut self) -> Self {
        self.logs_anything = true;
        self
    }

    /// Run by another program, which is given the host's command line as its last arguments and must become that process.
    pub fn run_by(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// With this state folder.
    pub fn in_state(mut self, state: StateFolder) -> Self {
        self.state = Arc::new(state);
        self
    }

    /// Listening on this address instead of a free one.
    pub fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// With the state folder of `other`.
    pub fn state_of(mut self, other: &Self) -> Self {
        self.state = other.state.clone();
        self
    }

    /// Takes over what hosts of other tests have compiled, and tells whether it has; a second time it has not.
    pub(crate) fn take_over_compiled(&self) -> bool {
        self.takes_over_compiled && compiled::lend(self.state.path())
    }

    /// What its log must not hold.
    pub(crate) fn secrets(&self) -> Option<Secrets> {
        let environment = self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let settings = self.arguments.iter().chain(&environment).map(String::as_str);
        (!self.logs_anything).then(|| Secrets::among(settings))
    }

    /// The state folder.
    pub fn state(&self) -> &StateFolder {
        &self.state
    }

    /// Starts the host and waits until it has printed its addresses. Fails the test where it does not.
    pub fn start(self) -> Host {
        Host::start(self)
    }

    /// Starts the host and waits for it to end by itself, for hosts that should refuse to start.
    pub fn refused(self) -> Ended {
        self.take_over_compiled();
        let output = self.command().output().expect("plaza can be run");
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            setup: self,
        }
    }

    /// `plaza up …`, or `plaza relay …`, with pipes for its output.
    pub(crate) fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Command::new(plaza()),
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(plaza());
                command
            }
        };
        match &self.relays_to {
            None => command.args(["up", "--listen", &self.listen]),
            Some(target) => command.args(["relay", "--target", target]),
        };
        command
            .arg("-f")
            .arg(&self.manifest)
            .args(["--control", &self.control, "--state-dir"])
            .arg(self.state.path())
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

/// The binary under test: `$PLAZA_BIN`, else the release build.
pub fn plaza() -> PathBuf {
    let path = std::env::var_os("PLAZA_BIN").map_or_else(|| workspace().join("target/release/plaza"), PathBuf::from);
    assert!(path.exists(), "{} is missing: run `make build` first, or set PLAZA_BIN", path.display());
    path
}
