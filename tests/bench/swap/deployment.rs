//! One `plaza deploy`, and when it did what.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use plaza_tests::{
    Host,
    setup::{plaza, workspace},
};
use tokio::io::{AsyncBufReadExt, BufReader};

/// A swap that went through.
pub struct Deployment {
    /// Whether the bytes had to be compiled.
    pub new: bool,
    /// When the command was given.
    pub began: Instant,
    /// When the new version began to answer.
    pub switched: Instant,
    /// From the command to then.
    pub to_active: Duration,
    /// From the command to its end, when the old version had nothing left.
    pub to_end: Duration,
}

impl Deployment {
    /// Runs the command. One that is refused ends the benchmark.
    pub async fn run(host: &Host, service: &str, (file, new): (&Path, bool)) -> Self {
        let began = Instant::now();
        // Whoever deploys sits at another machine: here the command gets what those who serve and ask leave.
        let mut child = tokio::process::Command::new("chrt")
            .args(["--idle", "0"])
            .arg(plaza())
            .args(["deploy", service])
            .arg(file)
            .arg("--state-dir")
            .arg(host.setup().state().path())
            .current_dir(workspace())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("chrt of util-linux can be run");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (mut switched, mut text) = (None, String::new());
        while let Some(line) = lines.next_line().await.expect("lines of text") {
            if line.starts_with("switch") {
                switched = Some(Instant::now());
            }
            text.push_str(&line);
            text.push('\n');
        }
        let status = child.wait().await.expect("it ends");
        assert!(status.success() && text.contains("nothing was cut off"), "{} was not replaced:\n{text}", service);
        let switched = switched.unwrap_or_else(|| panic!("no switch in:\n{text}"));
        Self { new, began, switched, to_active: switched - began, to_end: began.elapsed() }
    }
}
