//! What goes wrong, and what is said of it.

use std::fs;

use plaza_tests::{Setup, broker, disk::SmallDisk};
use serde_json::Value;

use crate::{DockerRegistry, Person, pushed};

const ANSWERS: &str = "tests/spin-apps/static-response/spin.toml";

/// The digest of the component in an artifact.
async fn component_of(registry: &DockerRegistry, name: &str) -> String {
    let manifest = reqwest::Client::new()
        .get(format!("http://{}/v2/{name}/manifests/latest", registry.address()))
        .header("accept", "application/vnd.oci.image.manifest.v1+json")
        .send()
        .await
        .unwrap();
    let manifest: Value = manifest.json().await.unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let wasm = layers.iter().find(|layer| layer["mediaType"] == "application/vnd.wasm.content.layer.v1+wasm").unwrap();
    wasm["digest"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_layer_that_was_changed_in_the_registry_is_refused_and_nothing_of_it_is_used() {
    let (registry, person, reference) = pushed(ANSWERS, "answers");
    let file = registry.file_of(&component_of(&registry, "answers").await);
    let sound = fs::read(&file).unwrap();
    let mut changed = sound.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&file, &changed).unwrap();
    person.pull(&reference).refused(&["was changed on the way or in the registry", "is not used"]);
    let ended = Setup::in_registry(&reference).refused();
    assert!(ended.code == Some(1) && ended.stderr.contains("is not used"), "{}", ended.stderr);
    // A longer one is not even taken in.
    fs::write(&file, [sound.as_slice(), b"more"].concat()).unwrap();
    person.pull(&reference).refused(&["the layer sha256:", "and at most"]);
    assert_eq!(person.applications(), 0);
    fs::write(&file, &sound).unwrap();
    person.pull(&reference).expect();
    assert_eq!(person.applications(), 1);
}

#[tokio::test]
async fn a_layer_that_was_shortened_in_the_registry_is_refused() {
    let (registry, person, reference) = pushed(ANSWERS, "answers");
    let file = registry.file_of(&component_of(&registry, "answers").await);
    let sound = fs::read(&file).unwrap();
    fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    person.pull(&reference).refused(&["was changed on the way or in the registry", "is not used"]);
    assert_eq!(person.applications(), 0);
    fs::write(&file, &sound).unwrap();
    person.pull(&reference).expect();
}

#[tokio::test]
async fn what_is_not_there_is_told_with_what_to_look_at() {
    let (registry, person, _) = pushed(ANSWERS, "answers:1");
    let missing = registry.reference("answers:2");
    person
        .pull(&missing)
        .refused(&[&format!("there is no {missing} in {}", registry.address()), "the name and the tag"]);
    person.pull(&registry.reference("nobody/nothing:1")).refused(&["there is no", "the name and the tag"]);
    let ended = Setup::in_registry(&missing).refused();
    assert!(ended.code == Some(1) && ended.stderr.contains("there is no"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_registry_that_is_away_or_speaks_no_tls_is_told_apart() {
    let (registry, person, reference) = pushed(ANSWERS, "answers");
    person.registry(&["pull", &reference]).refused(&["no TLS with", "say --insecure"]);
    drop(registry);
    person.pull(&reference).refused(&["does not answer"]);
    person.registry(&["push", "--insecure", "-f", ANSWERS, &reference]).refused(&["does not answer"]);
}

#[test]
fn what_cannot_be_pushed_is_told_before_anybody_is_asked() {
    let person = Person::new();
    let nobody = format!("127.0.0.1:{}/app:1", broker::free_port());
    person.registry(&["push", "--insecure", "-f", "nowhere.toml", &nobody]).refused(&["cannot be read"]);
    person.registry(&["push", "--insecure", "-f", ANSWERS, "Not A Name"]).refused(&["registry/repository:tag"]);
    let pinned = format!("127.0.0.1:1/app@sha256:{}", "a".repeat(64));
    person.registry(&["push", "--insecure", "-f", ANSWERS, &pinned]).refused(&["registry/repository:tag"]);
}

#[test]
fn what_a_registry_holds_is_not_built() {
    let ended = Setup::in_registry("127.0.0.1:1/app:1").argument("--build").refused();
    assert!(ended.stderr.contains("take --build and --watch out"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_half_pulled_is_not_used() {
    let (_registry, person, reference) = pushed(ANSWERS, "answers");
    fs::create_dir_all(person.state()).unwrap();
    let disk = SmallDisk::mount(&person.state(), 1024);
    // The component alone needs more.
    disk.fill();
    person.pull(&reference).refused(&["make room on the disk"]);
    assert_eq!(person.applications(), 0);
    disk.free();
    disk.grow(16 * 1024);
    person.pull(&reference).expect();
}
