use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{digest::sha256, registry::locked::manifest};

/// A store with one blob, `shared`, and an application whose component it is.
fn pulled() -> (TempDir, Store, Value) {
    let state = tempfile::tempdir().unwrap();
    let store = Store::open(state.path(), |_| ()).unwrap();
    let unfinished = store.unfinished("shared");
    fs::write(&unfinished, "shared").unwrap();
    let digest = format!("sha256:{}", sha256("shared"));
    store.keep(&unfinished, &digest).unwrap();
    let document = json!({
        "spin_lock_version": 0,
        "metadata": { "name": "one" },
        "triggers": [{ "id": "one", "trigger_type": "http", "trigger_config": { "component": "one", "route": "/..." } }],
        "components": [{
            "id": "one",
            "source": { "content_type": "application/wasm", "digest": digest },
            "files": [{ "digest": digest, "path": "a/b" }, { "inline": "ZXZpbA", "path": "c" }]
        }]
    });
    (state, store, document)
}

fn laid_out(store: &Store, document: &Value, manifest: Option<&str>) -> Result<PathBuf, RegistryError> {
    let locked: Locked = serde_json::from_value(document.clone()).unwrap();
    let text = manifest.map_or_else(|| super::super::locked::manifest(&locked).unwrap(), str::to_owned);
    let into = store.unfinished("application");
    lay_out(&locked, &text, &"localhost:1/one:1".parse().unwrap(), store, &into).map(|()| into)
}

#[test]
fn files_are_linked_to_what_was_pulled_and_written_where_they_stand_in_the_artifact() {
    let (_state, store, document) = pulled();
    let folder = laid_out(&store, &document, None).unwrap();
    assert_eq!(fs::read_to_string(folder.join("files/one/a/b")).unwrap(), "shared");
    assert_eq!(fs::metadata(folder.join("components/one.wasm")).unwrap().nlink(), 3);
    assert_eq!(fs::read_to_string(folder.join("files/one/c")).unwrap(), "evil");
}

#[test]
fn nothing_is_written_through_a_link_into_what_others_share() {
    let (_state, store, mut document) = pulled();
    document["components"][0]["files"][1]["path"] = "a//b".into();
    let locked: Locked = serde_json::from_value(document.clone()).unwrap();
    assert!(manifest(&locked).unwrap_err().to_string().contains("\"a//b\" twice"));
    // Were it not found out there, it would do no harm here.
    let text = "spin_manifest_version = 2";
    _ = laid_out(&store, &document, Some(text));
    assert_eq!(
        fs::read_to_string(store.blob(&format!("sha256:{}", sha256("shared"))).unwrap().unwrap()).unwrap(),
        "shared"
    );
    let place = store.unfinished("application/components/one.wasm");
    fs::remove_dir_all(store.unfinished("application")).unwrap();
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, "somebody else's").unwrap();
    let error = laid_out(&store, &document, Some(text)).unwrap_err().to_string();
    assert!(error.contains("cannot write"), "{error}");
    assert_eq!(fs::read_to_string(&place).unwrap(), "somebody else's");
}

#[test]
fn a_manifest_that_leads_out_of_its_folder_is_refused_however_it_came_about() {
    let (_state, store, document) = pulled();
    let manifest = |component: &str, rest: &str| {
        format!(
            "spin_manifest_version = 2\napplication.name = \"one\"\n\
             [[trigger.http]]\nroute = \"/...\"\ncomponent = \"one\"\n{rest}\n[component.one]\n{component}\n"
        )
    };
    let own = "source = \"components/one.wasm\"";
    for (component, rest, part) in [
        ("source = \"../../../evil.wasm\"", "", "../../../evil.wasm"),
        ("source = \"/etc/passwd\"", "", "/etc/passwd"),
        ("source = \"components/one.wasm\"\nfiles = [{ source = \"../..\", destination = \"/\" }]", "", "../.."),
        ("source = \"components/one.wasm\"\nfiles = [\"**/*\"]", "", "**/*"),
        ("source = \"components/one.wasm\"\nbuild.command = \"make\"", "", "is to be built"),
        ("source = \"components/one.wasm\"\ntool.plaza = { database = \"one\", migrations = \"/etc\" }", "", "/etc"),
        (
            "source = \"components/one.wasm\"\ndependencies.\"some:part\" = { path = \"/etc/shadow\" }",
            "",
            "/etc/shadow",
        ),
        (own, "[component.two]\nsource = \"components/one.wasm\"", "`two`"),
        (
            own,
            "[[trigger.http]]\nroute = \"/two\"\ncomponent = { source = \"components/one.wasm\" }",
            "`http-trigger2-component`",
        ),
    ] {
        fs::remove_dir_all(store.unfinished("application")).ok();
        let error = laid_out(&store, &document, Some(&manifest(component, rest))).unwrap_err().to_string();
        assert!(error.contains("leads out of its folder") && error.contains(part), "{part}: {error}");
    }
    let url = format!("source = {{ url = \"http://localhost/one.wasm\", digest = \"sha256:{}\" }}", "a".repeat(64));
    fs::remove_dir_all(store.unfinished("application")).ok();
    let error = laid_out(&store, &document, Some(&manifest(&url, ""))).unwrap_err().to_string();
    assert!(error.contains("http://localhost/one.wasm"), "{error}");
    fs::remove_dir_all(store.unfinished("application")).ok();
    laid_out(&store, &document, Some(&manifest(own, ""))).unwrap();
}

#[test]
fn more_files_than_are_taken_are_not_even_begun() {
    let (_state, store, mut document) = pulled();
    let files = (0..=REGISTRY_FILES).map(|number| json!({ "inline": "", "path": format!("{number}") }));
    document["components"][0]["files"] = files.collect();
    let error = laid_out(&store, &document, None).unwrap_err().to_string();
    assert!(error.contains("files, and at most"), "{error}");
    assert!(!store.unfinished("application").exists());
}
