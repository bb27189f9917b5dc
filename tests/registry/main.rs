//! Applications in a registry: what `plaza registry push` puts there, what Spin puts there, and what is served of it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use plaza_tests::{docker_registry::DockerRegistry, operator::Done, setup::plaza, workspace};
use tempfile::TempDir;

mod elsewhere;
mod login;
mod packages;
mod plaza_apps;
mod pulls;
mod spin_apps;
mod stand_in;
mod token_registry;
mod tokens;
mod trouble;
mod versions;

/// Somebody at a machine, with passwords and a state folder of their own.
struct Person {
    folder: TempDir,
}

impl Person {
    fn new() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    fn passwords(&self) -> PathBuf {
        self.settings().join("registry.json")
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("settings")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// `plaza registry <arguments>`.
    fn registry(&self, arguments: &[&str]) -> Done {
        done(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(plaza());
        command.arg("registry").args(arguments);
        self.own(&mut command);
        command
    }

    /// Has a command keep to what is this person's.
    fn own(&self, command: &mut Command) {
        command.env("REGISTRY_AUTH_FILE", self.passwords()).env("XDG_CONFIG_HOME", self.settings());
        command.current_dir(workspace()).stdin(Stdio::null());
    }

    /// `plaza <arguments> -f <manifest>`.
    fn run(&self, arguments: &[&str], manifest: &Path) -> Done {
        let mut command = Command::new(plaza());
        command.args(arguments).arg("-f").arg(manifest);
        self.own(&mut command);
        done(&mut command)
    }

    /// Pushes the application of a manifest to a registry without TLS; returns the artifact's digest.
    fn push(&self, manifest: &Path, reference: &str) -> String {
        let manifest = manifest.to_str().expect("a path of UTF-8");
        let pushed = self.registry(&["push", "--insecure", "-f", manifest, reference]).expect();
        word_after(&pushed.text, "digest: ")
    }

    /// Pulls from a registry without TLS.
    fn pull(&self, reference: &str) -> Done {
        let state = self.state();
        let state = state.to_str().expect("a path of UTF-8");
        self.registry(&["pull", "--insecure", "--state-dir", state, reference])
    }

    /// The same, to be started.
    fn pulling(&self, reference: &str) -> Command {
        let state = self.state();
        let state = state.to_str().expect("a path of UTF-8");
        self.command(&["pull", "--insecure", "--state-dir", state, reference])
    }

    /// The folder of an application that is pulled.
    fn pulled(&self, reference: &str) -> PathBuf {
        word_after(&self.pull(reference).expect().text, &format!("{reference} is in ")).into()
    }

    /// The files that are kept by their digests.
    fn blobs(&self) -> usize {
        fs::read_dir(self.state().join("registry/blobs")).map_or(0, Iterator::count)
    }

    /// The folders of all that was pulled.
    fn applications(&self) -> usize {
        fs::read_dir(self.state().join("registry/applications")).map_or(0, Iterator::count)
    }
}

fn done(command: &mut Command) -> Done {
    let output = command.output().expect("plaza can be run");
    let text = [output.stdout, output.stderr].concat();
    Done { went_through: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}

fn word_after(text: &str, start: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    line.unwrap_or_else(|| panic!("no {start:?} in: {text}")).to_owned()
}

/// The bytes of a component that was built.
fn component(name: &str) -> Vec<u8> {
    let file = plaza_tests::artifact::built(name);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}; run `make guests`", file.display()))
}

/// A registry and somebody who has pushed this application to it.
fn pushed(manifest: &str, name: &str) -> (DockerRegistry, Person, String) {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    let reference = registry.reference(name);
    person.push(&workspace().join(manifest), &reference);
    (registry, person, reference)
}
