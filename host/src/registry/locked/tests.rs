use std::{fs, path::Path};

use serde_json::json;

use super::*;
use crate::{
    manifest::{
        App, Source,
        app::{Composed, Inherit, Route},
        load,
    },
    registry::contents::{Blob, Contents},
};

/// A manifest with something of everything.
const EVERYTHING: &str = r#"
spin_manifest_version = 2

[application]
name = "everything"
version = "1.2.3"
description = "All of it"
authors = ["Ada <ada@example.com>"]

[application.trigger.http]
base = "/api"

[application.trigger.redis]
address = "redis://localhost:6379"

[application.tool.plaza.generate]
token = "token"

[application.tool.lint]
level = "savage"

[variables]
tone = { default = "warm", description = "How to greet" }
token = { required = true, secret = true }
web_database_url = { required = true, secret = true }
web_database_host = { required = true }

[[trigger.http]]
route = "/..."
component = "web"

[[trigger.http]]
id = "own"
route = { private = true }
component = { source = "inline.wasm", environment = { PLACE = "inside" }, tool.plaza.optional = true }

[[trigger.http]]
route = "/old"
static_response = { status_code = 302, headers = { Location = "/new" } }

[[trigger.redis]]
channel = "news"
component = "web"

[component.web]
source = "deep/web.wasm"
description = "Answers"
variables = { tone = "{{ tone }}", url = "{{ web_database_url }}" }
environment = { TONE = "{{ tone }}" }
files = ["assets/**/*", { source = "static", destination = "/public" }]
exclude_files = ["**/secret"]
allowed_outbound_hosts = ["postgres://{{ web_database_host }}", "http://users.spin.internal"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
build.command = "make"
build.workdir = "deep"

[component.web.dependencies]
"some:library" = { path = "library.wasm", export = "some:library/maths", inherit_configuration = ["variables"] }
"some:part/maths@1.0.0" = { component = "part", inherit_configuration = true }
"some:users/directory@1.0.0" = { component = "part" }

[component.web.tool.plaza]
database = "web_database"
migrations = "deep/migrations"
outbox = "outbox"
tick_seconds = 5
limits = { memory_mib = 64, threads = "background" }
dependencies = { "some:users/directory@1.0.0" = { component = "users" } }

[component.web.profile.debug]
source = "debug.wasm"

[component.users]
source = "users.wasm"

[component.part]
source = "library.wasm"
"#;

/// Writes the manifest and all that it names into a folder.
fn write_everything(folder: &Path) {
    for inner in ["deep/migrations", "assets/inner", "static"] {
        fs::create_dir_all(folder.join(inner)).unwrap();
    }
    let long = "x".repeat(1000);
    for (name, text) in [
        ("spin.toml", EVERYTHING),
        ("deep/web.wasm", "web"),
        ("debug.wasm", "debug"),
        ("inline.wasm", "inline"),
        ("users.wasm", "users"),
        ("library.wasm", "library"),
        ("deep/migrations/0001_first.sql", "CREATE TABLE a (b int)"),
        ("assets/short.txt", "short"),
        ("assets/empty", ""),
        ("assets/inner/long.txt", &long),
        ("assets/inner/secret", "not to be shown"),
        ("static/page.html", "<p>"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

fn locked(folder: &Path, profile: Option<&str>) -> (App, Locked, Vec<Blob>) {
    let file = folder.join("spin.toml");
    let app = load(&Source { profile: profile.map(str::to_owned), ..Source::plain(&file) }).unwrap();
    let document = fs::read_to_string(file).unwrap().parse().unwrap();
    let mut contents = Contents::new(&folder.join("scratch"));
    let locked = lock(&app, &document, &mut contents).unwrap();
    (app, locked, contents.into_blobs().unwrap())
}

/// What a locked application says as a manifest.
fn unlocked(locked: &Locked) -> App {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    fs::write(&file, manifest(locked).unwrap()).unwrap();
    load(&Source::plain(&file)).unwrap_or_else(|faults| panic!("{faults:?}\n{}", fs::read_to_string(&file).unwrap()))
}

#[test]
fn a_manifest_says_the_same_after_it_was_locked() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path());
    let (app, locked, _) = locked(folder.path(), None);
    // Through the text that a registry keeps.
    let kept: Locked = serde_json::from_str(&serde_json::to_string(&locked).unwrap()).unwrap();
    assert_eq!(kept, locked);
    assert_eq!(kept.clone().reached(), kept);
    let again = unlocked(&kept);
    assert_eq!((&again.name, &again.version, &again.description), (&app.name, &app.version, &app.description));
    assert_eq!((&again.variables, &again.generate), (&app.variables, &app.generate));
    assert_eq!(
        (&again.routes, &again.static_routes, &again.channels),
        (&app.routes, &app.static_routes, &app.channels)
    );
    assert_eq!(again.routes[0].route, Route::Path("/api/...".to_owned()));
    assert_eq!(again.components.keys().collect::<Vec<_>>(), app.components.keys().collect::<Vec<_>>());
    for (id, before) in &app.components {
        let after = &again.components[id];
        assert_eq!((&after.description, &after.links), (&before.description, &before.links), "{id}");
        assert_eq!((&after.environment, &after.variables), (&before.environment, &before.variables), "{id}");
        assert_eq!(after.allowed_outbound_hosts, before.allowed_outbound_hosts, "{id}");
        let stores =
            |one: &crate::manifest::app::Component| (one.key_value_stores.clone(), one.sqlite_databases.clone());
        assert_eq!(stores(after), stores(before), "{id}");
        let settings = |one: &crate::manifest::app::Component| crate::manifest::app::PlazaSettings {
            migrations: None,
            ..one.plaza.clone()
        };
        assert_eq!(settings(after), settings(before), "{id}");
        assert_eq!(after.plaza.migrations.is_some(), before.plaza.migrations.is_some(), "{id}");
        let without_files = |all: &BTreeMap<String, Composed>| -> Vec<_> {
            all.iter()
                .map(|(key, one)| (key.clone(), one.component.clone(), one.export.clone(), one.inherit.clone()))
                .collect()
        };
        assert_eq!(without_files(&after.composed), without_files(&before.composed), "{id}");
        assert_eq!(without_files(&after.under_spin), without_files(&before.under_spin), "{id}");
    }
    assert_eq!(again.components["web"].composed["some:part/maths@1.0.0"].inherit, Inherit::All);
}

#[test]
fn its_files_are_by_their_digests_and_small_ones_stand_in_it() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path());
    let (_, locked, blobs) = locked(folder.path(), None);
    let web = locked.components.iter().find(|component| component.id == "web").unwrap();
    let paths: Vec<_> = web.files.iter().map(|file| (file.path.as_str(), file.content.inline.is_some())).collect();
    let expected = [
        ("assets/empty", true),
        ("assets/inner/long.txt", false),
        ("assets/short.txt", true),
        ("public/page.html", true),
    ];
    assert_eq!(paths, expected);
    assert_eq!(web.migrations().unwrap()[0].path, "0001_first.sql");
    let digests = locked.digests().unwrap();
    // Four components, one of which is a dependency's file as well, and a long text.
    assert_eq!(blobs.len(), 5);
    assert!(blobs.iter().all(|blob| digests.contains(&blob.digest)) && digests.len() == 5);
    assert_eq!(web.source.content.sha256().unwrap(), sha256("web"));
}

#[test]
fn spin_finds_in_it_what_it_would_have_written_itself() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path());
    let (_, locked, _) = locked(folder.path(), None);
    let written = serde_json::to_value(&locked).unwrap();
    assert_eq!(
        (&written["spin_lock_version"], &written["must_understand"]),
        (&json!(1), &json!(["component_host_requirements"]))
    );
    assert_eq!(written["metadata"]["authors"], json!(["Ada <ada@example.com>"]));
    let common = json!({ "http": { "base": "/api" }, "redis": { "address": "redis://localhost:6379" } });
    assert_eq!(written["metadata"]["triggers"], common);
    assert_eq!(written["variables"]["token"], json!({ "secret": true }));
    assert_eq!(written["variables"]["tone"], json!({ "default": "warm", "description": "How to greet" }));
    let trigger = json!({ "id": "own", "trigger_type": "http",
        "trigger_config": { "route": { "private": true }, "component": "own-component" } });
    assert!(written["triggers"].as_array().unwrap().contains(&trigger), "{}", written["triggers"]);
    let web = locked.components.iter().find(|component| component.id == "web").unwrap();
    assert_eq!(web.host_requirements["local_service_chaining"], "required");
    assert_eq!(web.metadata["databases"], json!(["default"]));
    // Where Plaza links, Spin composes.
    assert!(web.dependencies.contains_key("some:users/directory@1.0.0"));
    let inherit = |key: &str| serde_json::to_value(&web.dependencies[key].inherit).unwrap();
    assert_eq!(
        (inherit("some:library"), inherit("some:part/maths@1.0.0")),
        (json!({ "Some": ["variables"] }), json!("All"))
    );
}

#[test]
fn a_profile_is_in_force_when_it_is_locked() {
    let folder = tempfile::tempdir().unwrap();
    write_everything(folder.path());
    let (_, locked, _) = locked(folder.path(), Some("debug"));
    let web = locked.components.iter().find(|component| component.id == "web").unwrap();
    assert_eq!(web.source.content.sha256().unwrap(), sha256("debug"));
}

/// What Spin writes of a component that knows nothing of Plaza.
fn of_spin() -> Value {
    json!({
        "spin_lock_version": 0,
        "metadata": {
            "name": "hello", "origin": "vnd.fermyon.origin-oci:ghcr.io/somebody/hello:1",
            "trigger": { "type": "http", "base": "/old" }
        },
        "triggers": [{ "id": "trigger--hello", "trigger_type": "http",
            "trigger_config": { "component": "hello", "executor": null, "route": "/..." } }],
        "components": [{
            "id": "hello",
            "metadata": { "description": "", "build": { "command": "make" }, "key_value_stores": ["default"] },
            "source": { "content_type": "application/wasm", "digest": format!("sha256:{}", "a".repeat(64)) },
            "env": { "TONE": "warm" },
            "files": [{ "inline": "aGVsbG8", "path": "greeting.txt" }, { "inline": "aGVsbG8=", "path": "inner/padded" }],
            "dependencies": { "some:library": {
                "source": { "content_type": "application/wasm", "digest": format!("sha256:{}", "b".repeat(64)) },
                "export": null, "inherit": "All" } }
        }]
    })
}

#[test]
fn what_spin_has_locked_is_read() {
    let locked: Locked = serde_json::from_value(of_spin()).unwrap();
    assert_eq!(locked.components[0].files[1].content.inline.as_deref(), Some(&b"hello"[..]));
    let app = unlocked(&locked);
    // Older Spins say what is common to all triggers of the one kind.
    assert_eq!(app.routes[0].route, Route::Path("/old/...".to_owned()));
    let hello = &app.components["hello"];
    assert!(hello.source.ends_with("components/hello.wasm"));
    assert_eq!(hello.composed["some:library"].inherit, Inherit::All);
    assert!(hello.composed["some:library"].file.ends_with(format!("dependencies/{}.wasm", "b".repeat(64))));
}

#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut document = of_spin();
        change(&mut document);
        manifest(&serde_json::from_value(document).unwrap()).unwrap_err().to_string()
    };
    for (part, change) in [
        ("version 2", &(|document: &mut Value| document["spin_lock_version"] = json!(2)) as &dyn Fn(&mut Value)),
        ("`time_travel`", &|document| document["must_understand"] = json!(["time_travel"])),
        ("`telepathy`", &|document| {
            document["components"][0]["host_requirements"] = json!({ "telepathy": "required" })
        }),
        ("around it", &|document| {
            let part = document["components"][0]["dependencies"]["some:library"].clone();
            document["components"][0]["trigger_dependencies"] = json!({ "echo": [part] });
        }),
        ("around it", &|document| {
            let part = document["components"][0]["dependencies"]["some:library"].clone();
            document["components"][0]["trigger_dependencies"] = json!({ "middleware": [part] });
            document["components"][0]["metadata"]["resolve-trigger-dependencies-using"] = json!("redis");
        }),
        ("has another digest", &|document| {
            let mut part = document["components"][0]["dependencies"]["some:library"].clone();
            part["source"]["inline"] = json!("ZXZpbA");
            document["components"][0]["trigger_dependencies"] = json!({ "middleware": [part] });
        }),
        ("\"../hello\"", &|document| document["components"][0]["id"] = json!("../hello")),
        ("\"../../.bashrc\"", &|document| document["components"][0]["files"][0]["path"] = json!("../../.bashrc")),
        ("\"/etc/passwd\"", &|document| document["components"][0]["files"][0]["path"] = json!("/etc/passwd")),
        ("the trigger `trigger--hello`", &|document| {
            let files = json!([{ "source": "../../..", "destination": "/" }]);
            document["triggers"][0]["trigger_config"]["component"] =
                json!({ "source": "components/hello.wasm", "files": files, "allowed_outbound_hosts": ["*://*:*"] });
        }),
        ("the trigger `trigger--hello`", &|document| {
            document["triggers"][0]["trigger_type"] = json!("cron");
            document["triggers"][0]["trigger_config"]["component"] = json!({ "source": "/etc/passwd" });
        }),
        ("\"hello\" twice", &|document| {
            let again = document["components"][0].clone();
            document["components"].as_array_mut().unwrap().push(again);
        }),
        ("\"greeting.txt\" twice", &|document| document["components"][0]["files"][1]["path"] = json!("greeting.txt")),
        ("\"inner/.//padded/\" twice", &|document| {
            let again = json!({ "inline": "", "path": "inner/.//padded/" });
            document["components"][0]["files"].as_array_mut().unwrap().push(again);
        }),
        ("has another digest", &|document| {
            document["components"][0]["files"][0]["digest"] = json!(format!("sha256:{}", "a".repeat(64)));
        }),
        ("has another digest", &|document| {
            document["components"][0]["dependencies"]["some:library"]["source"]["inline"] = json!("ZXZpbA");
        }),
        ("\"..\"", &|document| {
            document["components"][0]["metadata"]["plaza"] = json!({ "migrations": [{ "inline": "", "path": ".." }] });
        }),
    ] {
        let error = refused(change);
        assert!(error.contains(part), "{part}: {error}");
    }
    let mut optional = of_spin();
    optional["components"][0]["host_requirements"] = json!({ "telepathy": "optional" });
    manifest(&serde_json::from_value(optional).unwrap()).unwrap();
}

#[test]
fn middleware_stands_with_its_component_and_comes_back_to_its_triggers() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
spin_manifest_version = 2
application.name = "around"
[[trigger.http]]
route = "/..."
component = "web"
dependencies.middleware = [{ component = "guard", inherit_configuration = ["variables"] }, { path = "signs.wasm" }]
[component.web]
source = "web.wasm"
[component.guard]
source = "guard.wasm"
"#;
    for (name, text) in [("spin.toml", text), ("web.wasm", "web"), ("guard.wasm", "guard"), ("signs.wasm", "signs")] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (app, locked, blobs) = locked(folder.path(), None);
    assert_eq!((locked.digests().unwrap().len(), blobs.len()), (3, 3));
    let written = serde_json::to_value(&locked).unwrap();
    let web = written["components"].as_array().unwrap().iter().find(|one| one["id"] == "web").unwrap();
    assert_eq!(web["trigger_dependencies"]["middleware"][0]["inherit"], json!({ "Some": ["variables"] }));
    assert_eq!(web["metadata"]["resolve-trigger-dependencies-using"], "http");
    assert_eq!(web["host_requirements"], json!({ "middleware": "required" }), "no host may pass it over");
    assert_eq!(written["triggers"][0]["trigger_config"], json!({ "route": "/...", "component": "web" }));
    let again = unlocked(&locked.reached());
    let layers = |app: &App| -> Vec<_> {
        let layers = &app.components["web"].middleware;
        layers.iter().map(|layer| (layer.component.clone(), layer.inherit.clone())).collect()
    };
    assert_eq!(layers(&again), layers(&app));
    let signs = format!("dependencies/{}.wasm", sha256("signs"));
    assert!(again.components["web"].middleware[1].file.ends_with(signs));
}

#[test]
fn a_trigger_has_the_id_that_it_was_locked_with() {
    let mut document = of_spin();
    document["triggers"][0]["trigger_config"]["id"] = json!("another");
    let text = manifest(&serde_json::from_value(document).unwrap()).unwrap();
    assert!(text.contains("trigger--hello") && !text.contains("another"), "{text}");
}

#[test]
fn what_spin_has_composed_already_is_served_without_its_parts_and_under_a_name_that_a_manifest_takes() {
    let mut document = of_spin();
    document["components"][0]["dependencies"] = json!({});
    document["triggers"][0]["trigger_config"]["component"] = json!("hello-for-trigger--my_http.1");
    let mut composed = document["components"][0].clone();
    composed["id"] = json!("hello-for-trigger--my_http.1");
    let mut part = document["components"][0].clone();
    part["id"] = json!("part");
    document["components"].as_array_mut().unwrap().extend([composed, part]);
    let locked: Locked = serde_json::from_value(document.clone()).unwrap();
    let app = unlocked(&locked.reached());
    assert_eq!(app.components.keys().collect::<Vec<_>>(), ["hello-for-trigger-my-http-1"]);
    assert_eq!(app.routes[0].component, "hello-for-trigger-my-http-1");
    // Two names that become one stay two.
    document["triggers"] = ["a_b", "a.b", "a-b"]
        .map(|id| {
            json!({ "id": id, "trigger_type": "http",
        "trigger_config": { "component": id, "route": format!("/{id}") } })
        })
        .into();
    let one = document["components"][0].clone();
    document["components"] = ["a_b", "a.b", "a-b"]
        .map(|id| {
            let mut one = one.clone();
            one["id"] = json!(id);
            one
        })
        .into();
    let locked: Locked = serde_json::from_value(document).unwrap();
    let app = unlocked(&locked.reached());
    assert_eq!(app.components.keys().collect::<Vec<_>>(), ["a-b", "a-b-2", "a-b-3"]);
    let routes: Vec<_> = app.routes.iter().map(|trigger| (trigger.route.clone(), trigger.component.as_str())).collect();
    let route = |path: &str| Route::Path(format!("/old/{path}"));
    assert_eq!(routes, [(route("a_b"), "a-b-3"), (route("a.b"), "a-b-2"), (route("a-b"), "a-b")]);
}

#[test]
fn what_this_host_leads_to_is_kept_under_whatever_name() {
    let mut document = of_spin();
    let of = |id: &str, plaza: Value| {
        let mut component = of_spin()["components"][0].clone();
        component["id"] = json!(id);
        for own in ["files", "env", "dependencies"] {
            component.as_object_mut().unwrap().remove(own);
        }
        component["metadata"] = json!({ "plaza": plaza });
        component
    };
    document["components"][0]["metadata"]["plaza"] = json!({
        "components": { "some:library": "li_brary" },
        "tool": { "dependencies": { "some:users/directory": { "component": "users" } } }
    });
    let components = document["components"].as_array_mut().unwrap();
    components.extend([
        of("li_brary", json!({})),
        of("users", json!({})),
        of("ticks", json!({ "tool": { "tick_seconds": 5 } })),
    ]);
    components.push(of("nobody", json!({})));
    let app = unlocked(&serde_json::from_value::<Locked>(document).unwrap().reached());
    assert_eq!(app.components.keys().collect::<Vec<_>>(), ["hello", "li-brary", "ticks", "users"]);
    assert_eq!(app.components["hello"].composed["some:library"].component.as_deref(), Some("li-brary"));
}
