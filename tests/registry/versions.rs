//! Which version of a package is taken, and out of which registry, where the manifest leaves it open.

use std::{fs, path::PathBuf};

use plaza_tests::{docker_registry::LOGIN, manifest::Manifest};

use crate::{DockerRegistry, Person, component, stand_in::StandIn};

/// A registry with these versions of a package, each of other bytes.
fn registry(versions: &[(&str, &str)]) -> StandIn {
    let registry = StandIn::start();
    versions.iter().for_each(|(version, name)| publish(&registry, version, name));
    registry
}

fn publish(registry: &StandIn, version: &str, name: &str) {
    registry.put(
        version,
        &[("application/vnd.wasm.config.v0+json", b"{\"os\":\"wasip2\"}"), ("application/wasm", &component(name))],
    );
}

fn manifest(dependency: &str) -> Manifest {
    Manifest::of_text(&format!(
        r#"
        spin_manifest_version = 2
        application.name = "versions"
        trigger.http = [{{ route = "/...", component = "asks" }}]
        [component.asks]
        source = "target/wasm32-wasip2/release/asks.wasm"
        dependencies = {{ "test:knows@1.0.0" = {dependency} }}
        "#
    ))
}

fn kept(manifest: &Manifest, registry: &str, versions: &str) -> PathBuf {
    manifest.path().with_file_name(format!(".plaza/fetched/{registry}/test/knows/{versions}.wasm"))
}

fn set(person: &Person, text: &str) -> PathBuf {
    let file = person.settings().join("wasm-pkg/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_dependency_gets_the_newest_version_that_fits_and_keeps_that_one() {
    let person = Person::new();
    let registry = registry(&[
        ("1.0.0", "hello"),
        ("1.9.0", "hello"),
        ("1.10.0", "knows"),
        ("2.0.0", "hello"),
        ("1.11.0-rc.1", "hello"),
        ("latest", "hello"),
    ]);
    let manifest = manifest(&format!(r#"{{ version = "^1.0", registry = "{}" }}"#, registry.address()));
    let build = || person.run(&["build", "--insecure"], &manifest.path()).expect().text;
    let file = kept(&manifest, registry.address(), "^1.0");
    assert!(build().contains(": 1.10.0, sha256:"));
    assert_eq!(fs::read(&file).unwrap(), component("knows"));
    publish(&registry, "1.11.0", "asks");
    assert!(!build().contains("fetch"));
    // What somebody has changed there is that version again.
    fs::write(&file, "something else").unwrap();
    assert!(build().contains(": 1.10.0, sha256:"));
    fs::remove_file(file.with_extension("wasm.sha256")).unwrap();
    assert!(build().contains(": 1.11.0, sha256:"));
    assert_eq!(fs::read(&file).unwrap(), component("asks"));
}

#[test]
fn a_version_that_is_named_is_taken_though_there_are_newer_ones() {
    let (person, registry) = (Person::new(), registry(&[("1.0.0", "knows"), ("1.1.0", "hello")]));
    let manifest = manifest(&format!(r#"{{ version = "=1.0.0", registry = "{}" }}"#, registry.address()));
    person.run(&["build", "--insecure"], &manifest.path()).expect();
    assert_eq!(fs::read(kept(&manifest, registry.address(), "1.0.0")).unwrap(), component("knows"));
}

#[test]
fn where_no_version_fits_those_that_there_are_are_told() {
    let (person, registry) = (Person::new(), registry(&[("1.0.0", "knows"), ("1.1.0", "knows")]));
    let manifest = manifest(&format!(r#"{{ version = "^2", registry = "{}" }}"#, registry.address()));
    person.run(&["build", "--insecure"], &manifest.path()).refused(&["`test:knows`", "fits ^2", "1.1.0, 1.0.0"]);
}

#[test]
fn a_package_of_which_no_registry_is_named_is_where_this_user_has_set_it() {
    let (person, registry) = (Person::new(), registry(&[("1.0.0", "knows")]));
    let manifest = manifest(r#"">=1""#);
    let build = || person.run(&["build", "--insecure"], &manifest.path());
    build().refused(&["no registry is known for `test:knows`", "wasm-pkg/config.toml"]);
    let address = registry.address();
    for settings in [
        format!("default_registry = \"{address}\""),
        format!("default_registry = \"away.example\"\nnamespace_registries = {{ test = \"{address}\" }}"),
        format!(
            "[package_registry_overrides.\"test:knows\"]\nregistry = \"ours\"\nmetadata = {{ oci = {{ registry = \"{address}\" }} }}"
        ),
    ] {
        set(&person, &settings);
        build().expect();
        let file = kept(&manifest, "unnamed", ">=1");
        assert_eq!(fs::read(&file).unwrap(), component("knows"), "{settings}");
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_password_that_is_set_for_a_registry_of_packages_is_shown_to_it() {
    let (guarded, person) = (DockerRegistry::guarded(), Person::new());
    let manifest = manifest(r#""=1.0.0""#);
    let address = guarded.address();
    let set_with = |login: (&str, &str)| {
        let auth = format!("auth = {{ username = \"{}\", password = \"{}\" }}", login.0, login.1);
        set(&person, &format!("default_registry = \"{address}\"\nregistry.\"{address}\".oci.{auth}\n"))
    };
    let build = || person.run(&["build", "--insecure"], &manifest.path());
    set_with((LOGIN.0, "another-password"));
    let refused = build().refused(&["right password"]);
    assert!(!refused.text.contains("another-password"), "{}", refused.text);
    set_with(LOGIN);
    // It is let in, and finds nothing.
    build().refused(&["there is no", "test/knows:1.0.0"]);
}

#[test]
fn settings_for_packages_that_cannot_be_read_are_told_without_what_stands_there() {
    let person = Person::new();
    let file = set(
        &person,
        "default_registry = \"ghcr.io\"\nregistry.x.oci.auth = { username = \"ada\", password = hunter2 }\n",
    );
    // Who fetches no package needs none of them.
    person.run(&["build"], &manifest(r#"{ path = "target/wasm32-wasip2/release/knows.wasm" }"#).path()).expect();
    let refused = person.run(&["build"], &manifest(r#""1""#).path()).refused(&[file.to_str().unwrap(), "line 2"]);
    assert!(!refused.text.contains("hunter2"), "{}", refused.text);
}
