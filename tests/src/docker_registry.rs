//! A registry, for the time of a test: the one of the Debian package `docker-registry`.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::broker::{free_port, watchdog};

/// How long it may take to answer, on a machine that is busy with other tests.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A name and a password that it lets in, where it asks for one.
pub const LOGIN: (&str, &str) = ("ada", "what-the-registry-asks-for");

/// The same as `htpasswd -B` writes it.
const LOGIN_LINE: &str = "ada:$2b$05$abcdefghijklmnopqrstuu1haUjwBzCk.EbdIcvARrjVEnHy6WjyC\n";

/// A registry in a folder of its own, which is killed when this is dropped.
pub struct DockerRegistry {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
    watchdog: Child,
}

impl DockerRegistry {
    /// Starts one that lets everybody in, over plain HTTP.
    pub fn start() -> Self {
        Self::run(Self::folder(), "")
    }

    /// Starts one that asks for [`LOGIN`].
    pub fn guarded() -> Self {
        let folder = Self::folder();
        fs::write(folder.path().join("htpasswd"), LOGIN_LINE).expect("a file can be written");
        let settings = format!("auth: {{ htpasswd: {{ realm: test, path: {}/htpasswd }} }}\n", folder.path().display());
        Self::run(folder, &settings)
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::Builder::new().prefix("plaza-registry-").tempdir();
        folder.expect("the folder for temporary files can be written")
    }

    fn run(folder: tempfile::TempDir, settings: &str) -> Self {
        let port = free_port();
        let text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {}/data }} }}\n\
             http: {{ addr: \"127.0.0.1:{port}\" }}\n{settings}",
            folder.path().display()
        );
        let file = folder.path().join("config.yml");
        fs::write(&file, text).expect("a file can be written");
        let mut child = Command::new("docker-registry")
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry can be run: apt install docker-registry");
        let watchdog = watchdog(&child, folder.path());
        let deadline = Instant::now() + START_PATIENCE;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(matches!(child.try_wait(), Ok(None)), "docker-registry has ended");
            assert!(Instant::now() < deadline, "docker-registry does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { folder, port, child, watchdog }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What something in it is called.
    pub fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.address())
    }

    /// Where it keeps a blob, of `sha256:` and 64 digits.
    pub fn file_of(&self, digest: &str) -> PathBuf {
        let digits = digest.strip_prefix("sha256:").expect("a digest");
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&digits[..2]).join(digits).join("data")
    }
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // It has nothing left to watch.
        let _ = self.watchdog.kill();
        let _ = self.watchdog.wait();
    }
}
