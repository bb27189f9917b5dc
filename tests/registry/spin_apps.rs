//! What Spin has pushed. The artifacts are written here byte by byte as Spin writes them, so that nothing of Plaza's own is trusted.

use std::io::Write;

use plaza_tests::{Setup, operator::Done};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{DockerRegistry, Person, component};

pub(crate) const LOCKED: &str = "application/vnd.fermyon.spin.application.v1+config";
pub(crate) const WASM: &str = "application/vnd.wasm.content.layer.v1+wasm";
pub(crate) const DATA: &str = "application/vnd.wasm.content.layer.v1+data";
const ARCHIVE: &str = "application/vnd.wasm.content.bundle.v1.tar+gzip";
pub(crate) const CONFIGURATION: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// `sha256:` and 64 digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// Puts a blob into a repository.
async fn upload(registry: &DockerRegistry, repository: &str, bytes: &[u8]) -> String {
    let http = reqwest::Client::new();
    let begun =
        http.post(format!("http://{}/v2/{repository}/blobs/uploads/", registry.address())).send().await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap().to_owned();
    let digest = digest(bytes);
    let joint = if place.contains('?') { '&' } else { '?' };
    let put = http.put(format!("{place}{joint}digest={digest}")).body(bytes.to_vec()).send().await.unwrap();
    assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
    digest
}

/// Puts an artifact of these layers into a repository, under a tag; the first is its configuration.
pub(crate) async fn push(registry: &DockerRegistry, repository: &str, tag: &str, layers: &[(&str, &[u8])]) {
    let mut descriptors = Vec::new();
    for (kind, bytes) in layers {
        let digest = upload(registry, repository, bytes).await;
        descriptors.push(json!({ "mediaType": kind, "digest": digest, "size": bytes.len() }));
    }
    let config = descriptors.remove(0);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": descriptors });
    let put = reqwest::Client::new()
        .put(format!("http://{}/v2/{repository}/manifests/{tag}", registry.address()))
        .header("content-type", MANIFEST)
        .body(manifest.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), 201, "{}", put.text().await.unwrap());
}

/// What Spin says of an application that shows a note, of which this is known.
pub(crate) fn locked(note: Value) -> Vec<u8> {
    let file = |content: &Value| {
        let mut file = content.clone();
        file["path"] = "note.txt".into();
        file
    };
    let source = |name: &str| json!({ "content_type": "application/wasm", "digest": digest(&component(name)) });
    json!({
        "spin_lock_version": 1,
        "must_understand": ["component_host_requirements"],
        "metadata": { "name": "asks", "version": "0.1.0", "trigger": { "type": "http" }, "triggers": {} },
        "variables": { "tone": { "default": "warm" } },
        "triggers": [
            { "id": "http-trigger1", "trigger_type": "http",
              "trigger_config": { "component": "asks", "executor": null, "route": "/asks/..." } },
            { "id": "http-trigger2", "trigger_type": "http",
              "trigger_config": { "route": "/fixed", "static_response": { "status_code": 201, "body": "fixed" } } }
        ],
        "components": [{
            "id": "asks",
            "metadata": {
                "allowed_outbound_hosts": ["http://self", "http://other.spin.internal"], "key_value_stores": ["default"],
                "build": { "command": "cargo build" }
            },
            "source": source("asks"),
            "env": { "PLACE": "here" },
            "files": [file(&note)],
            "config": { "tone": "{{ tone }}" },
            "dependencies": { "test:knows": { "source": source("knows"), "export": null, "inherit": { "Some": ["variables"] } } },
            "host_requirements": { "local_service_chaining": "required" }
        }]
    })
    .to_string()
    .into_bytes()
}

async fn expect_served(registry: &DockerRegistry, repository: &str, note: &str) {
    let host = Setup::in_registry(&registry.reference(repository)).start();
    for (path, expected) in [
        ("/asks/own/files", note),
        ("/asks/own/environment", "PLACE=here"),
        ("/asks/own/variable?tone", "warm"),
        ("/asks/part/variable?tone", "warm"),
        ("/asks/part/environment", ""),
    ] {
        assert_eq!(host.client().get(path).await.expect(200).text(), expected, "{repository}: {path}");
    }
    assert_eq!(host.client().get("/fixed").await.expect(201).text(), "fixed");
}

/// The configuration that Spin writes beside a locked application.
fn configuration(locked: &[u8]) -> Vec<u8> {
    json!({ "architecture": "wasm", "os": "Wasip1", "rootfs": { "type": "layers", "diff_ids": [] },
        "config": { "Labels": { "com.fermyon.spin.lockedAppDigest": digest(locked) } } })
    .to_string()
    .into_bytes()
}

#[tokio::test]
async fn an_application_that_spin_has_pushed_is_served() {
    let registry = DockerRegistry::start();
    let note = "a long note, ".repeat(50);
    let locked = locked(json!({ "digest": digest(note.as_bytes()) }));
    let layers: [(&str, &[u8]); 5] = [
        (CONFIGURATION, &configuration(&locked)),
        (WASM, &component("asks")),
        (WASM, &component("knows")),
        (DATA, note.as_bytes()),
        (LOCKED, &locked),
    ];
    push(&registry, "spin/new", "latest", &layers).await;
    expect_served(&registry, "spin/new", &note).await;
}

#[tokio::test]
async fn one_that_an_older_spin_has_pushed_is_served() {
    let registry = DockerRegistry::start();
    // The note, in base64 and without its padding.
    let locked = locked(json!({ "inline": "YSBub3RlCg", "digest": digest(b"a note\n") }));
    let layers: [(&str, &[u8]); 3] = [(LOCKED, &locked), (WASM, &component("asks")), (WASM, &component("knows"))];
    push(&registry, "spin/old", "latest", &layers).await;
    expect_served(&registry, "spin/old", "a note\n").await;
}

#[tokio::test]
async fn one_whose_files_spin_has_packed_is_served() {
    let registry = DockerRegistry::start();
    let note = "a packed note, ".repeat(50);
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default()));
    let mut header = tar::Header::new_gnu();
    header.set_size(note.len() as u64);
    header.set_mode(0o644);
    archive.append_data(&mut header, "./deep/note.txt", note.as_bytes()).unwrap();
    let mut packed = archive.into_inner().unwrap();
    packed.flush().unwrap();
    let packed = packed.finish().unwrap();
    let locked = locked(json!({ "digest": digest(note.as_bytes()) }));
    let layers: [(&str, &[u8]); 5] = [
        (CONFIGURATION, &configuration(&locked)),
        (WASM, &component("asks")),
        (WASM, &component("knows")),
        (ARCHIVE, &packed),
        (LOCKED, &locked),
    ];
    push(&registry, "spin/packed", "latest", &layers).await;
    expect_served(&registry, "spin/packed", &note).await;
}

#[tokio::test]
async fn what_is_no_application_says_what_it_is() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    let wasm = component("asks");
    push(
        &registry,
        "packages/asks",
        "latest",
        &[("application/vnd.wasm.config.v0+json", b"{\"os\":\"wasip2\"}"), ("application/wasm", &wasm)],
    )
    .await;
    person.pull(&registry.reference("packages/asks")).refused(&["is no application", "a single component"]);
    push(
        &registry,
        "images/other",
        "latest",
        &[(CONFIGURATION, b"{}"), ("application/vnd.oci.image.layer.v1.tar", b"something")],
    )
    .await;
    person.pull(&registry.reference("images/other")).refused(&["is no application", "plaza registry push"]);
    // What it says of itself names a layer that it does not have.
    let locked = locked(json!({ "digest": digest(b"nowhere") }));
    push(&registry, "spin/holes", "latest", &[(LOCKED, &locked), (WASM, &wasm), (WASM, &component("knows"))]).await;
    person.pull(&registry.reference("spin/holes")).refused(&["names what none of its layers holds"]);
    assert_eq!(person.applications(), 0);
}

#[tokio::test]
async fn a_name_that_leads_out_of_the_folder_is_refused() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    let mut document: Value = serde_json::from_slice(&locked(json!({ "inline": "YQ" }))).unwrap();
    document["components"][0]["files"][0]["path"] = "../../../escaped".into();
    let text = document.to_string().into_bytes();
    push(
        &registry,
        "spin/escapes",
        "latest",
        &[(LOCKED, &text), (WASM, &component("asks")), (WASM, &component("knows"))],
    )
    .await;
    person.pull(&registry.reference("spin/escapes")).refused(&["cannot be served", "../../../escaped"]);
    assert_eq!(person.applications(), 0);
}

/// What comes of an artifact of which this is changed.
async fn pull_changed(registry: &DockerRegistry, person: &Person, name: &str, change: impl Fn(&mut Value)) -> Done {
    let mut document: Value = serde_json::from_slice(&locked(json!({ "inline": "YQ" }))).unwrap();
    change(&mut document);
    let text = document.to_string().into_bytes();
    push(registry, name, "latest", &[(LOCKED, &text), (WASM, &component("asks")), (WASM, &component("knows"))]).await;
    person.pull(&registry.reference(name))
}

#[tokio::test]
async fn an_artifact_gets_no_file_of_the_host_by_a_component_in_its_trigger() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    let pulled = pull_changed(&registry, &person, "spin/hostile", |document| {
        document["triggers"][0]["trigger_config"]["component"] = json!({
            "source": "components/asks.wasm",
            "files": [{ "source": "../../..", "destination": "/" }],
            "allowed_outbound_hosts": ["http://127.0.0.1:1"]
        });
    });
    pulled.await.refused(&["cannot be served", "the trigger `http-trigger1`"]);
    assert_eq!(person.applications(), 0);
}

#[tokio::test]
async fn an_artifact_changes_no_file_that_others_share() {
    let (registry, person) = (DockerRegistry::start(), Person::new());
    pull_changed(&registry, &person, "spin/sound", |_| ()).await.expect();
    let sound = person.pulled(&registry.reference("spin/sound:latest"));
    let wasm = digest(&component("asks"));
    for (name, second, part) in [
        ("spin/twice", json!({ "inline": "ZXZpbA", "path": "note.txt" }), "\"note.txt\" twice"),
        ("spin/slashes", json!({ "inline": "ZXZpbA", "path": "note.txt//" }), "\"note.txt//\" twice"),
        ("spin/lies", json!({ "inline": "ZXZpbA", "digest": wasm, "path": "other.txt" }), "another digest"),
    ] {
        let pulled = pull_changed(&registry, &person, name, |document| {
            document["components"][0]["files"] = json!([{ "digest": wasm, "path": "note.txt" }, second]);
        });
        pulled.await.refused(&["cannot be served", part]);
    }
    let pulled = pull_changed(&registry, &person, "spin/components", |document| {
        let again = document["components"][0].clone();
        document["components"].as_array_mut().unwrap().push(again);
    });
    pulled.await.refused(&["cannot be served", "\"asks\" twice"]);
    assert_eq!(std::fs::read(sound.join("components/asks.wasm")).unwrap(), component("asks"));
    assert_eq!(person.applications(), 1);
}

#[tokio::test]
async fn what_a_newer_spin_has_composed_is_served_without_what_it_was_made_of() {
    let registry = DockerRegistry::start();
    let mut document: Value = serde_json::from_slice(&locked(json!({ "inline": "YSBub3RlCg" }))).unwrap();
    let mut composed = document["components"][0].clone();
    composed["id"] = "asks-for-http_trigger.1".into();
    let part = json!({ "id": "knows", "metadata": {},
        "source": { "content_type": "application/wasm", "digest": digest(&component("knows")) } });
    document["components"].as_array_mut().unwrap().extend([composed, part]);
    document["triggers"][0]["trigger_config"]["component"] = "asks-for-http_trigger.1".into();
    let text = document.to_string().into_bytes();
    let layers: [(&str, &[u8]); 4] = [
        (CONFIGURATION, &configuration(&text)),
        (WASM, &component("asks")),
        (WASM, &component("knows")),
        (LOCKED, &text),
    ];
    push(&registry, "spin/composed", "latest", &layers).await;
    expect_served(&registry, "spin/composed", "a note\n").await;
}
