//! The native peer as a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// The running peer. Dropping it ends it.
pub struct PeerProcess {
    child: Child,
    base: String,
}

impl PeerProcess {
    /// Starts it on this database and waits for its address.
    pub fn start(database_url: &str) -> Self {
        let program = std::env::current_exe().expect("this program's own path");
        let mut child = Command::new(program)
            .args(["peer", database_url])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be run again");
        let mut base = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut base).expect("the peer prints its address");
        Self { child, base: base.trim().to_owned() }
    }

    /// Its address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for PeerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
