//! An application of small guests that several hosts serve out of one database.

use plaza_tests::{Host, Setup, artifact::built};

/// Two components that are the same, one of which has a database, so that the versions are kept on its server.
const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "hosts"
[variables]
one_database_url = { required = true, secret = true }
one_database_host = { required = true }
[[trigger.http]]
route = "/one/..."
component = "one"
[component.one]
source = "hello.wasm"
allowed_outbound_hosts = ["postgres://{{ one_database_host }}"]
[component.one.tool.plaza]
database = "one_database"
[[trigger.http]]
route = "/two/..."
component = "two"
[component.two]
source = "hello.wasm"
"#;

/// The application's folder, which each host reads.
pub struct Application(tempfile::TempDir);

impl Application {
    pub fn new() -> Self {
        Self::with("")
    }

    /// With these lines more about the component `two`.
    pub fn with(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(built("hello"), folder.path().join("hello.wasm")).unwrap();
        std::fs::write(folder.path().join("spin.toml"), format!("{MANIFEST}{lines}")).unwrap();
        Self(folder)
    }

    /// How a host is started that has the database server.
    pub fn setup(&self) -> Setup {
        Setup::of(self.0.path().join("spin.toml"))
    }

    /// A host on the server of another.
    pub fn beside(&self, first: &Host) -> Host {
        self.setup().argument("--database-url").argument(&first.setup().state().database_owner_url()).start()
    }
}
