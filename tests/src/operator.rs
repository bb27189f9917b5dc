//! The operator, who changes what a host serves with the program itself.

use std::{path::Path, process::Stdio};

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{Host, setup::plaza, workspace};

/// What a command printed, and whether it went through.
#[derive(Debug)]
pub struct Done {
    /// Whether it exited with 0.
    pub went_through: bool,
    /// Its stdout and, behind it, its stderr.
    pub text: String,
}

impl Done {
    /// Fails the test where it did not go through.
    #[track_caller]
    pub fn expect(self) -> Self {
        assert!(self.went_through, "{}", self.text);
        self
    }

    /// Fails the test where it went through, or where its reason does not say all of this.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Self {
        assert!(!self.went_through, "it was let in: {}", self.text);
        for word in words {
            assert!(self.text.contains(word), "no {word:?} in: {}", self.text);
        }
        self
    }
}

/// A deploy under way.
pub struct Deploying {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Deploying {
    /// Waits until this step is done and the next begins.
    pub async fn until_done(&mut self, step: &str) {
        while let Some(line) = self.lines.next_line().await.expect("lines of text") {
            if line.starts_with(step) {
                return;
            }
        }
        panic!("the deploy ended before it had done {step}");
    }

    /// Waits for its end, and says whether it went through.
    pub async fn went_through(mut self) -> bool {
        self.child.wait().await.expect("it ends").success()
    }
}

impl Host {
    /// `plaza <arguments>` on this host, without anybody to ask.
    pub async fn operate(&self, arguments: &[&str]) -> Done {
        let output = Command::new(plaza())
            .args(arguments)
            .arg("--state-dir")
            .arg(self.setup().state().path())
            .current_dir(workspace())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .expect("plaza can be run");
        let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.push_str(&String::from_utf8_lossy(&output.stderr));
        Done { went_through: output.status.success(), text }
    }

    /// `plaza deploy <component> <file> <more>`, without the manifest's migrations.
    pub async fn deploy(&self, component: &str, file: &Path, more: &[&str]) -> Done {
        let file = file.to_str().expect("a path of UTF-8");
        self.operate(&[&["deploy", component, file, "-f", "no-manifest"], more].concat()).await
    }

    /// Begins the same.
    pub fn begin_deploy(&self, component: &str, file: &Path, more: &[&str]) -> Deploying {
        let mut child = Command::new(plaza())
            .args(["deploy", component])
            .arg(file)
            .args(["-f", "no-manifest"])
            .args(more)
            .arg("--state-dir")
            .arg(self.setup().state().path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("plaza can be run");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Deploying { child, lines }
    }

    /// The version of a component that answers, as the control port says.
    pub async fn version_of(&self, component: &str) -> String {
        self.status_of(component).await["version"].as_str().unwrap_or_default().to_owned()
    }

    /// What the control port says of a component.
    pub async fn status_of(&self, component: &str) -> Value {
        let status = self.status().await;
        let components = status["components"].as_array().cloned().unwrap_or_default();
        let found = components.into_iter().find(|entry| entry["id"] == component);
        found.unwrap_or_else(|| panic!("no {component} in {status}"))
    }
}
