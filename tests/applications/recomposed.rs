//! What is composed into a component changes, by another manifest or another file, and its own bytes do not.

use std::path::{Path, PathBuf};

use plaza_tests::{
    Host, Setup,
    artifact::{built, stamped, traps_at_once},
    until,
};

/// A component with a part that inherits what `inherit` says.
fn manifest(inherit: &str) -> String {
    format!(
        r#"spin_manifest_version = 2
[application]
name = "recomposed"
[[trigger.http]]
route = "/..."
component = "web"
[component.web]
source = "web.wasm"
variables = {{ tone = "warm" }}
environment = {{ PLACE = "here" }}
[component.web.dependencies]
"test:knows" = {{ path = "part.wasm", inherit_configuration = {inherit} }}
"#
    )
}

struct Application {
    folder: tempfile::TempDir,
    host: Host,
}

impl Application {
    fn inheriting(inherit: &str) -> Self {
        Self::of(&manifest(inherit), |setup| setup)
    }

    fn of(manifest: &str, set: impl Fn(Setup) -> Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(built("asks"), folder.path().join("web.wasm")).unwrap();
        std::fs::copy(built("knows"), folder.path().join("part.wasm")).unwrap();
        std::fs::write(folder.path().join("spin.toml"), manifest).unwrap();
        let host = set(Setup::of(folder.path().join("spin.toml"))).start();
        Self { folder, host }
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }

    fn put_in_place_of_the_part(&self, file: impl AsRef<Path>) {
        std::fs::copy(file, self.path("part.wasm")).unwrap();
    }

    async fn apply(&self, manifest: &str) -> String {
        std::fs::write(self.path("spin.toml"), manifest).unwrap();
        self.host.operate(&["apply", "--yes"]).await.expect().text
    }

    async fn deploy(&self, stamp: &str) {
        self.host.deploy("web", &stamped("asks", stamp), &[]).await.expect();
    }

    async fn restart(self) -> Self {
        let Self { folder, host } = self;
        Self { folder, host: host.stop().setup.start() }
    }

    /// What the part finds of its component's environment.
    async fn found(&self) -> String {
        found(&self.host).await
    }

    /// What the version that answers is composed of, as the status tells it.
    async fn composed(&self) -> serde_json::Value {
        self.host.status_of("web").await["versions"][0]["composed"].clone()
    }

    async fn version(&self) -> String {
        self.host.version_of("web").await
    }
}

async fn found(host: &Host) -> String {
    host.client().get("/part/environment").await.expect(200).text()
}

#[tokio::test]
async fn a_rollback_brings_back_no_inheritance_that_the_manifest_has_taken_away() {
    let application = Application::inheriting("true");
    assert_eq!(application.found().await, "PLACE=here");
    application.deploy("two").await;
    application.apply(&manifest("[\"variables\"]")).await;
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v2", ""));
    application.host.operate(&["rollback", "web"]).await.expect();
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v1", ""));
    let application = application.restart().await;
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v1", ""));
}

#[tokio::test]
async fn another_inheritance_is_applied_without_a_restart_and_undoes_no_deploy() {
    let application = Application::inheriting("false");
    application.deploy("two").await;
    let done = application.apply(&manifest("[\"environment\"]")).await;
    let line = "~ component `web`: dependencies.\"test:knows\": part.wasm, composed in → part.wasm, composed in, inherits environment";
    assert!(done.contains(line), "{done}");
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v2", "PLACE=here"));
    let application = application.restart().await;
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v2", "PLACE=here"));
}

#[tokio::test]
async fn a_dependency_that_was_built_anew_is_taken_up_and_undoes_no_deploy() {
    let application = Application::inheriting("true");
    application.deploy("two").await;
    let client = application.host.client();
    let counted = async || client.get("/part/counted").await.expect(200).text();
    assert_eq!((counted().await, counted().await), ("1 2 1 after 1".to_owned(), "1 2 1 after 2".to_owned()));
    let done = application.apply(&manifest("true")).await;
    assert!(done.contains("nothing changes"), "{done}");
    application.put_in_place_of_the_part(stamped("knows", "two"));
    let done = application.apply(&manifest("true")).await;
    assert!(done.contains("~ component `web`: part.wasm, composed in, was built anew"), "{done}");
    assert_eq!((counted().await, application.version().await), ("1 2 1 after 1".to_owned(), "v2".to_owned()));
    let done = application.apply(&manifest("true")).await;
    assert!(done.contains("nothing changes"), "{done}");
    let before = application.composed().await;
    application.put_in_place_of_the_part(stamped("knows", "three"));
    let application = application.restart().await;
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v2", "PLACE=here"));
    assert_ne!(application.composed().await, before, "the start has taken up what the file holds");
    let done = application.apply(&manifest("true")).await;
    assert!(done.contains("nothing changes"), "{done}");
}

#[tokio::test]
async fn a_deploy_and_a_rollback_take_up_no_file_that_was_not_applied() {
    let application = Application::inheriting("true");
    let parts = async || application.composed().await["parts"].clone();
    let agreed = parts().await;
    application.put_in_place_of_the_part(stamped("knows", "two"));
    application.deploy("two").await;
    assert_eq!((application.version().await.as_str(), parts().await), ("v2", agreed.clone()));
    // Half written, or away: what was agreed to is there all the same.
    std::fs::write(application.path("part.wasm"), "half").unwrap();
    application.host.operate(&["rollback", "web"]).await.expect();
    assert_eq!((application.version().await.as_str(), parts().await), ("v1", agreed.clone()));
    std::fs::remove_file(application.path("part.wasm")).unwrap();
    application.deploy("three").await;
    assert_eq!((application.version().await.as_str(), parts().await), ("v3", agreed.clone()));
    application.put_in_place_of_the_part(stamped("knows", "two"));
    application.apply(&manifest("true")).await;
    assert_eq!(application.version().await, "v3");
    assert_ne!(parts().await, agreed);
}

#[tokio::test]
async fn a_host_that_watches_takes_up_a_part_that_changes() {
    let application = Application::of(&manifest("true"), |setup| setup.argument("--watch"));
    let before = application.composed().await;
    application.put_in_place_of_the_part(stamped("knows", "two"));
    until("the part is taken up", async || (application.composed().await != before).then_some(())).await;
    assert_eq!((application.version().await.as_str(), application.found().await.as_str()), ("v1", "PLACE=here"));
}

#[tokio::test]
async fn more_parts_than_the_host_was_started_for_take_a_restart() {
    let one_line = manifest("true");
    let without = one_line.split("[component.web.dependencies]").next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(built("hello"), folder.path().join("web.wasm")).unwrap();
    std::fs::copy(built("knows"), folder.path().join("part.wasm")).unwrap();
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, &without).unwrap();
    let host = Setup::of(&file).start();
    std::fs::write(&file, &one_line).unwrap();
    let refused = host.operate(&["apply", "--yes"]).await;
    refused.refused(&["takes a restart: an instance has 2 parts", "this host was started for 1"]);
    assert_eq!(host.client().get("/").await.expect(200).text(), "hello");
}

/// Another component beside `web`.
fn beside(inherit: &str) -> String {
    let other =
        "[[trigger.http]]\nroute = \"/other/...\"\ncomponent = \"other\"\n[component.other]\nsource = \"other.wasm\"\n";
    format!("{}{other}", manifest(inherit))
}

#[tokio::test]
async fn a_file_that_is_not_served_keeps_no_host_from_starting() {
    let application = Application::inheriting("true");
    application.host.deploy("web", &built("hello"), &[]).await.expect();
    // What the manifest's own file imports does not fit any more. It is not what answers.
    std::fs::write(application.path("part.wasm"), "half").unwrap();
    let application = application.restart().await;
    assert_eq!(application.version().await, "v2");
    assert_eq!(application.host.client().get("/").await.expect(200).text(), "hello");
}

#[tokio::test]
async fn what_cannot_be_served_any_more_keeps_no_other_component_from_being_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, component) in [("web", "asks"), ("other", "hello"), ("part", "knows")] {
        std::fs::copy(built(component), path(&format!("{name}.wasm"))).unwrap();
    }
    std::fs::write(path("spin.toml"), beside("true")).unwrap();
    let host = Setup::of(path("spin.toml")).start();
    std::fs::write(path("part.wasm"), "half").unwrap();
    let host = host.stop().setup.start();
    assert_eq!(host.client().get("/other/hello").await.expect(200).text(), "hello");
    let refusal = host.client().get("/part/environment").await;
    assert!(!refusal.header("retry-after").is_empty(), "it may be served soon");
    let detail = refusal.problem(503)["detail"].to_string();
    assert!(detail.contains("cannot be served at present"), "{detail}");
    let unserved = host.status_of("web").await["unserved"].clone();
    assert!(unserved["version"] == "v1" && unserved["reason"].to_string().contains("part.wasm"), "{unserved}");
    std::fs::copy(built("knows"), path("part.wasm")).unwrap();
    host.operate(&["apply", "--yes"]).await.expect();
    assert_eq!(found(&host).await, "PLACE=here");
    assert!(host.status_of("web").await["unserved"].is_null());
}

#[tokio::test]
async fn a_dependency_that_does_not_fit_is_not_applied() {
    let application = Application::inheriting("true");
    application.put_in_place_of_the_part(built("hello"));
    let refused = application.host.operate(&["apply", "--yes"]).await;
    refused.refused(&["`web`: what is to be composed in for test:knows does not export test:knows/"]);
    assert_eq!(application.found().await, "PLACE=here");
}

#[tokio::test]
async fn a_dependency_that_is_taken_away_is_missed() {
    let application = Application::inheriting("true");
    let without = manifest("true").split("[component.web.dependencies]").next().unwrap().to_owned();
    std::fs::write(application.path("spin.toml"), &without).unwrap();
    application.host.operate(&["apply", "--yes"]).await.refused(&["imports test:knows/", "nobody provides"]);
    assert_eq!(application.found().await, "PLACE=here");
}

/// A manifest whose component has a database, so that several hosts follow one another.
fn with_database(inherit: &str) -> String {
    let granted = manifest(inherit)
        .replace(
            "[component.web]\n",
            "[component.web]\nallowed_outbound_hosts = [\"postgres://{{ kept_host }}\", \"http://self\"]\n",
        )
        .replace("[[trigger.http]]", "[variables]\nkept_host = { required = true }\n[[trigger.http]]");
    format!("{granted}[component.web.tool.plaza]\ndatabase = \"kept\"\n")
}

#[tokio::test]
async fn a_host_whose_own_part_cannot_be_instantiated_does_not_follow_and_goes_on_with_what_it_has() {
    let whole = Application::of(&with_database("true"), |setup| setup);
    let server = whole.host.setup().state().database_owner_url();
    whole.host.deploy("web", &built("hello"), &[]).await.expect();
    // Nothing imports the part as long as this version answers, so nobody notices what it does at its start.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::copy(built("asks"), path("web.wasm")).unwrap();
    std::fs::copy(traps_at_once("knows"), path("part.wasm")).unwrap();
    std::fs::write(path("spin.toml"), with_database("true")).unwrap();
    let other = Setup::of(path("spin.toml")).argument("--database-url").argument(&server).start();
    assert_eq!(other.version_of("web").await, "v2");
    whole.host.operate(&["rollback", "web"]).await.expect();
    let reason = until("the other host tells why it does not follow", async || {
        let unserved = other.status_of("web").await["unserved"].clone();
        (!unserved.is_null()).then(|| unserved["reason"].to_string())
    });
    let reason = reason.await;
    assert!(reason.contains("cannot be instantiated"), "{reason}");
    assert_eq!((other.version_of("web").await.as_str(), whole.version().await.as_str()), ("v2", "v1"));
    assert_eq!(other.client().get("/").await.expect(200).text(), "hello");
    drop(other);
}

#[tokio::test]
async fn a_host_with_a_stricter_manifest_follows_a_deploy_and_inherits_no_more_for_it() {
    let generous = Application::of(&with_database("true"), |setup| setup);
    let server = generous.host.setup().state().database_owner_url();
    let strict = Application::of(&with_database("false"), |setup| setup.argument("--database-url").argument(&server));
    assert_eq!((strict.version().await.as_str(), strict.found().await.as_str()), ("v1", ""));
    generous.deploy("two").await;
    until("the other host follows", async || (strict.version().await == "v2").then_some(())).await;
    assert_eq!((generous.found().await.as_str(), strict.found().await.as_str()), ("PLACE=here", ""));
    generous.host.operate(&["rollback", "web"]).await.expect();
    until("the other host follows", async || (strict.version().await == "v1").then_some(())).await;
    assert_eq!((generous.found().await.as_str(), strict.found().await.as_str()), ("PLACE=here", ""));
}
