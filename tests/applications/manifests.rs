//! Manifests that Spin takes: files in one tree, routes without a slash, components that nothing uses, values as they stand.

use std::{fs, path::Path};

use plaza_tests::{Host, Setup, artifact::built};
use tempfile::TempDir;

const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "manifests"
[variables]
block = { default = "10.0.0.0" }
bits = { default = "8" }
[[trigger.http]]
route = "read/..."
component = "reads"
[[trigger.http]]
route = ""
component = "hello"
[[trigger.http]]
route = "things/:path_segment/headers"
component = "hello"
[[trigger.http]]
route = "/about/..."
component = "about"
[component.reads]
source = "reads.wasm"
files = [
    "assets/*.txt",
    { source = "site", destination = "/" },
    { source = "single.txt", destination = "one.txt" },
    { source = "later", destination = "/assets" },
]
exclude_files = ["site/*.key"]
[component.hello]
source = "hello.wasm"
allowed_outbound_hosts = ["*://{{ block }}/{{ bits }}:5000"]
[component.about]
source = "about.wasm"
environment = { BRACES = "{{ block }} {{", COLOUR = "red" }
[component.spare]
source = "nowhere.wasm"
"#;

/// Files of the application, each of which has its own path in it.
const FILES: [&str; 7] = [
    "assets/a.txt",
    "assets/b.txt",
    "site/index.html",
    "site/deep/in.txt",
    "site/deep/secret.key",
    "single.txt",
    "later/b.txt",
];

struct Application {
    folder: TempDir,
    host: Host,
}

impl Application {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, guest) in [("reads", "reads-file"), ("hello", "hello"), ("about", "looks-about")] {
            fs::copy(built(guest), folder.path().join(format!("{name}.wasm"))).unwrap();
        }
        for file in FILES {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        fs::write(folder.path().join("spin.toml"), MANIFEST).unwrap();
        let host = Setup::of(folder.path().join("spin.toml")).start();
        Self { folder, host }
    }

    async fn read(&self, path: &str) -> String {
        self.host.client().get(&format!("/read?path={path}")).await.expect(200).text()
    }
}

#[tokio::test]
async fn all_entries_of_files_are_one_tree_in_which_later_ones_lie_over_earlier_ones() {
    let application = Application::start();
    for (path, from) in [
        ("/assets/a.txt", "assets/a.txt"),
        ("assets/a.txt", "assets/a.txt"),
        ("/assets/b.txt", "later/b.txt"),
        ("/index.html", "site/index.html"),
        ("/deep/in.txt", "site/deep/in.txt"),
        ("/one.txt", "single.txt"),
    ] {
        assert_eq!(application.read(path).await, from, "{path}");
    }
    for path in ["/deep/secret.key", "/single.txt", "/site/index.html", "/later/b.txt", "/spin.toml"] {
        let text = application.read(path).await;
        assert!(text.starts_with("error"), "{path}: {text}");
    }
    for file in FILES {
        assert_eq!(fs::read_to_string(Path::new(application.folder.path()).join(file)).unwrap(), file);
    }
}

#[tokio::test]
async fn routes_need_no_slash_and_components_that_nothing_uses_are_left_out_with_a_warning() {
    let Application { host, folder: _folder } = Application::start();
    assert_eq!(host.client().get("/").await.expect(200).text(), "hello");
    let headers = host.client().get("/things/a_b/headers").await.expect(200).json();
    assert_eq!(headers["spin-path-match-path-segment"], "a_b", "{headers}");
    assert_eq!(headers["spin-matched-route"], "/things/:path_segment/headers", "{headers}");
    let environment = host.client().get("/about/environment").await.expect(200).text();
    assert_eq!(environment, "BRACES={{ block }} {{\nCOLOUR=red\n");
    let line = host.stderr().line_with("since no trigger");
    assert!(line.contains("spare") && !line.contains("reads"), "{line}");
}
