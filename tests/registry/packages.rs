//! Packages: which of them are fetched, from whom, and what is told where that fails.

use std::{fs, path::PathBuf};

use axum::{Router, extract::Request, routing::get};
use plaza_tests::{broker::free_port, manifest::Manifest, workspace};

use crate::{
    DockerRegistry, Person, component,
    spin_apps::{digest, push},
    token_registry::{Seen, serve},
};

/// An application of components with these sources.
fn manifest(components: &[(&str, &str)]) -> Manifest {
    let mut text = "spin_manifest_version = 2\napplication.name = \"packages\"\n".to_owned();
    for (id, source) in components {
        text.push_str(&format!("[[trigger.http]]\nroute = \"/{id}\"\ncomponent = \"{id}\"\n"));
        text.push_str(&format!("[component.{id}]\nsource = {source}\n"));
    }
    Manifest::of_text(&text)
}

fn package(registry: &str, name: &str) -> String {
    format!(r#"{{ registry = "{registry}", package = "test:{name}", version = "1.0.0" }}"#)
}

async fn publish(registry: &DockerRegistry, repository: &str, bytes: &[u8]) {
    let layers: [(&str, &[u8]); 2] =
        [("application/vnd.wasm.config.v0+json", b"{\"os\":\"wasip2\"}"), ("application/wasm", bytes)];
    push(registry, repository, "1.0.0", &layers).await;
}

fn kept(manifest: &Manifest, registry: &str, name: &str) -> PathBuf {
    manifest.path().with_file_name(format!(".plaza/fetched/{registry}/test/{name}/1.0.0.wasm"))
}

#[tokio::test]
async fn a_registry_of_packages_may_name_another_in_which_they_are() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    publish(&registry, "deep/test/hello", &component("hello")).await;
    for text in [
        format!(r#"{{ "oci": {{ "registry": "{}", "namespacePrefix": "deep/" }} }}"#, registry.address()),
        format!(r#"{{ "ociRegistry": "{}", "ociNamespacePrefix": "deep/" }}"#, registry.address()),
    ] {
        let names = serve(Router::new().route("/.well-known/wasm-pkg/registry.json", get(async move || text)));
        let manifest = manifest(&[("hello", &package(&names, "hello"))]);
        person.run(&["build", "--insecure"], &manifest.path()).expect();
        assert_eq!(fs::read(kept(&manifest, &names, "hello")).unwrap(), component("hello"));
    }
}

#[tokio::test]
async fn a_package_is_held_against_what_came_when_it_was_first_fetched() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    publish(&registry, "test/hello", &component("hello")).await;
    let address = registry.address();
    let manifest = manifest(&[("hello", &package(&address, "hello"))]);
    let file = kept(&manifest, &address, "hello");
    let build = || person.run(&["build", "--insecure"], &manifest.path());
    assert!(build().expect().text.contains(&digest(&component("hello"))));
    assert!(!build().expect().text.contains("fetch"));
    // What somebody has changed there is not used.
    fs::write(&file, "something else").unwrap();
    build().expect();
    assert_eq!(fs::read(&file).unwrap(), component("hello"));
    // Nor is another that has taken its name.
    publish(&registry, "test/hello", &component("asks")).await;
    build().expect();
    fs::remove_file(&file).unwrap();
    build().refused(&[&digest(&component("hello")), &digest(&component("asks")), "1.0.0.wasm.sha256"]);
    assert!(!file.exists());
    fs::remove_file(file.with_extension("wasm.sha256")).unwrap();
    build().expect();
    assert_eq!(fs::read(&file).unwrap(), component("asks"));
}

#[test]
fn plain_http_is_spoken_with_the_registry_that_is_named_and_with_no_other() {
    let (registry, person, seen) = (DockerRegistry::start(), Person::new(), Seen::default());
    let heard = seen.clone();
    let other = serve(Router::new().fallback(async move |request: Request| heard.add(request.uri().to_string())));
    // Not this machine by its name, though nobody else answers there.
    let other = other.replace("127.0.0.1", "0.0.0.0");
    let manifest = manifest(&[("hello", &package(&other, "hello"))]);
    let (path, told) = (manifest.path(), format!("no TLS with {other}"));
    person.run(&["registry", "push", "--insecure", &registry.reference("app:1")], &path).refused(&[&told]);
    person.run(&["build", "--insecure"], &path).refused(&[&told]);
    assert_eq!(seen.all(), Vec::<String>::new());
    let named = registry.reference("app:1").replace("127.0.0.1", "0.0.0.0");
    person.push(&workspace().join("tests/spin-apps/static-response/spin.toml"), &named);
    person.pull(&named).expect();
}

#[tokio::test]
async fn check_tells_what_cannot_be_fetched_beside_all_other_faults() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    publish(&registry, "test/hello", &component("hello")).await;
    let (there, away) = (registry.address(), format!("127.0.0.1:{}", free_port()));
    let manifest = manifest(&[
        ("first", &package(&away, "hello")),
        ("second", "\"nowhere.wasm\""),
        ("third", &package(&there, "nothing")),
        ("fourth", &package(&there, "hello")),
    ]);
    let checked = person.run(&["check", "--insecure"], &manifest.path());
    let checked = checked.refused(&[
        &format!("spin.toml:7: {away} does not answer"),
        "spin.toml:12: there is no `nowhere.wasm`",
        "spin.toml:17: there is no ",
        "3 faults",
    ]);
    assert!(!checked.text.contains("plaza build"), "{}", checked.text);
    person.run(&["check"], &manifest.path()).refused(&["say --insecure"]);
}

#[tokio::test]
async fn who_builds_one_component_fetches_that_one() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    publish(&registry, "test/hello", &component("hello")).await;
    let address = registry.address();
    let manifest = manifest(&[("one", &package(&address, "hello")), ("other", &package(&address, "nothing"))]);
    person.run(&["build", "--insecure", "-c", "one"], &manifest.path()).expect();
    person.run(&["build", "--insecure"], &manifest.path()).refused(&["there is no"]);
    person.run(&["build", "--insecure", "-c", "neither"], &manifest.path()).refused(&["no component `neither`"]);
}

#[test]
fn what_may_be_secret_in_an_address_is_not_told() {
    let person = Person::new();
    let server = serve(Router::new());
    for address in [format!("127.0.0.1:{}", free_port()), server] {
        let url = format!("http://ada:hunter2@{address}/web.wasm?token=hunter2");
        let source = format!(r#"{{ url = "{url}", digest = "sha256:{}" }}"#, "a".repeat(64));
        let manifest = manifest(&[("web", &source)]);
        let refused = person.run(&["build"], &manifest.path()).refused(&[&address]);
        assert!(!refused.text.contains("hunter2"), "{}", refused.text);
    }
}

#[test]
fn a_registry_that_would_be_taken_for_something_else_is_a_fault() {
    let person = Person::new();
    for registry in ["myregistry", ".."] {
        let manifest = manifest(&[("web", &package(registry, "web"))]);
        person.run(&["check"], &manifest.path()).refused(&[&format!("`{registry}` is no registry")]);
    }
}
