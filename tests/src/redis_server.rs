//! A Redis server, for the time of a test.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::broker::{free_port, watchdog};

/// How long it may take to answer, on a machine that is busy with other tests.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// What it asks for; no log may hold it.
pub const PASSWORD: &str = "what-redis-asks-for";

/// A server that keeps nothing on the disk, and is killed when this is dropped.
pub struct RedisServer {
    folder: tempfile::TempDir,
    port: u16,
    secure_port: u16,
    running: Option<Running>,
}

struct Running {
    child: Child,
    watchdog: Child,
}

impl RedisServer {
    /// Starts one on a free port.
    pub fn start() -> Self {
        let mut server = Self::away();
        server.start_again();
        server
    }

    /// One that is not there yet.
    pub fn away() -> Self {
        let folder = tempfile::Builder::new().prefix("plaza-redis-").tempdir();
        let folder = folder.expect("the folder for temporary files can be written");
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate can be made");
        let files = [("certificate.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file can be written");
        }
        Self { folder, port: free_port(), secure_port: free_port(), running: None }
    }

    /// Its address with the password.
    pub fn address(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// The same where it speaks TLS, and the file with the certificate that it shows, which it has signed itself.
    pub fn secure_address(&self) -> (String, PathBuf) {
        (format!("rediss://:{PASSWORD}@127.0.0.1:{}", self.secure_port), self.folder.path().join("certificate.pem"))
    }

    /// What grants it.
    pub fn grant(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it with nothing in it, and waits until it answers.
    pub fn start_again(&mut self) {
        let mut child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"])
            .args(["--requirepass", PASSWORD, "--port", &self.port.to_string(), "--dir"])
            .arg(self.folder.path())
            .args(["--tls-auth-clients", "no", "--tls-port", &self.secure_port.to_string()])
            .args(["--tls-cert-file", "certificate.pem", "--tls-key-file", "key.pem"])
            .args(["--tls-ca-cert-file", "certificate.pem"])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server can be run: apt install redis-server");
        let watchdog = watchdog(&child, self.folder.path());
        let deadline = Instant::now() + START_PATIENCE;
        while self.try_to_connect().is_err() {
            assert!(matches!(child.try_wait(), Ok(None)), "redis-server has ended");
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.running = Some(Running { child, watchdog });
    }

    /// Ends it without warning.
    pub fn kill(&mut self) {
        if let Some(Running { mut child, mut watchdog }) = self.running.take() {
            child.kill().expect("it was running");
            child.wait().expect("it was running");
            // It has nothing left to watch.
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }

    /// What it answers to a command.
    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = self.try_to_connect().expect("it answers");
        let (name, arguments) = words.split_first().expect("a command");
        redis::cmd(name).arg(arguments).query(&mut connection).expect("it does what it is asked for")
    }

    fn try_to_connect(&self) -> redis::RedisResult<redis::Connection> {
        redis::Client::open(self.address())?.get_connection()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
