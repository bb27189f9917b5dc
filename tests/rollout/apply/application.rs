//! An application of small guests, and what its manifest may say.

use std::path::{Path, PathBuf};

use plaza_tests::{Host, Setup, artifact::built};

pub const HELLO: &str = r#"spin_manifest_version = 2
[application]
name = "applied"
[variables]
colour = { default = "red" }
[[trigger.http]]
route = "/hello/..."
component = "hello"
[component.hello]
source = "hello.wasm"
[component.hello.variables]
colour = "{{ colour }}"
"#;

pub const OUT: &str = r#"[[trigger.http]]
route = "/out/..."
component = "out"
[component.out]
source = "calls_forbidden_host.wasm"
allowed_outbound_hosts = ["http://127.0.0.1:*"]
"#;

pub const LINKED: &str = r#"[[trigger.http]]
route = "/calls/..."
component = "calls"
[component.calls]
source = "calls.wasm"
[component.calls.tool.plaza.dependencies]
"test:echo/echo@1.0.0" = { component = "echoes" }
[component.echoes]
source = "echoes.wasm"
[component.echoes.tool.plaza.dependencies]
"test:echo/back@1.0.0" = { component = "calls" }
"#;

/// An application whose manifest is written anew while it is served.
pub struct Application {
    folder: tempfile::TempDir,
    pub host: Host,
}

impl Application {
    pub fn of(manifest: &str) -> Self {
        Self::started(manifest, |setup| setup)
    }

    pub fn started(manifest: &str, set: impl Fn(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for guest in ["hello", "newer", "calls-forbidden-host", "calls", "echoes"] {
            let file = built(guest);
            std::fs::copy(&file, folder.path().join(file.file_name().unwrap())).unwrap();
        }
        std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
        let host = set(Setup::of(folder.path().join("spin.toml"))).start();
        Self { folder, host }
    }

    pub fn write(&self, manifest: &str) {
        std::fs::write(self.path("spin.toml"), manifest).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    /// Writes another manifest and has it applied; returns what was printed.
    pub async fn apply(&self, manifest: &str) -> String {
        self.write(manifest);
        self.host.operate(&["apply", "--yes"]).await.expect().text
    }

    /// Writes another manifest, which is not taken for these reasons.
    pub async fn refused(&self, manifest: &str, words: &[&str]) {
        self.write(manifest);
        self.host.operate(&["apply", "--yes"]).await.refused(&[words, &["what is served has not changed"]].concat());
    }

    pub async fn get(&self, path: &str) -> String {
        self.host.client().get(path).await.expect(200).text()
    }
}
