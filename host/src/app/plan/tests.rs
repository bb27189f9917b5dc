use std::collections::BTreeSet;

use super::Plan;
use crate::{
    compose::Files,
    manifest::{
        self, App,
        app::{Composed, Inherit},
    },
};

const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "stall"
version = "1.0.0"
[variables]
colour = { default = "red" }
password = { default = "old", secret = true }
[[trigger.http]]
route = "/a/..."
component = "a"
[component.a]
source = "a.wasm"
allowed_outbound_hosts = ["http://one.example"]
variables = { tone = "{{ colour }}" }
[component.a.tool.plaza]
limits = { memory_mib = 64 }
[component.b]
source = "b.wasm"
[component.b.tool.plaza]
tick_seconds = 5
"#;

fn app(text: &str) -> App {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, text).unwrap();
    let mut app = manifest::load(&manifest::Source::plain(file)).unwrap();
    // Two manifests are compared as if they were the same file at two times.
    for component in app.components.values_mut() {
        component.source = component.source.strip_prefix(folder.path()).unwrap().to_owned();
    }
    app.manifest = "spin.toml".into();
    app
}

/// The plan when this is written in place of that.
fn plan(changes: &[(&str, &str)]) -> Plan {
    let mut text = MANIFEST.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    Plan::between(&app(MANIFEST), &app(&text), &BTreeSet::new())
}

fn named(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

#[test]
fn the_same_manifest_changes_nothing() {
    assert_eq!(plan(&[]), Plan::default());
}

#[test]
fn a_grant_and_a_limit_are_told_with_what_they_were_and_remake_their_component_alone() {
    let plan = plan(&[("[\"http://one.example\"]", "[]"), ("memory_mib = 64", "memory_mib = 32")]);
    assert_eq!(
        plan.changes,
        [
            "~ component `a`: allowed_outbound_hosts: [http://one.example] → none",
            "~ component `a`: limits.memory_mib: 64 → 32",
        ]
    );
    assert_eq!((plan.remade, plan.events, plan.ticks), (named(&["a"]), false, false));
}

#[test]
fn routes_come_go_and_change_hands() {
    let other = "[[trigger.http]]\nroute = \"/b\"\ncomponent = \"b\"\n[component.b]";
    let moved = plan(&[("/a/...", "/c/..."), ("[component.b]", other)]);
    assert_eq!(moved.changes, ["- route /a/... of `a`", "+ route /b of `b`", "+ route /c/... of `a`"]);
    assert!(moved.remade.is_empty());
    let given_away = "component = \"b\"\n[[trigger.http]]\nroute = { private = true }\ncomponent = \"a\"";
    let lines = plan(&[("component = \"a\"", given_away)]).changes;
    assert_eq!(lines, ["+ route (private, `a`) of `a`", "~ route /a/...: `a` → `b`"]);
}

#[test]
fn a_static_response_comes_goes_and_changes_without_remaking_anything() {
    let with = |body: &str| {
        let fixed =
            format!("[[trigger.http]]\nroute = \"/c\"\nstatic_response = {{ body = \"{body}\" }}\n[component.a]");
        app(&MANIFEST.replace("[component.a]", &fixed))
    };
    let between = |before: &App, after: &App| Plan::between(before, after, &BTreeSet::new()).changes;
    assert_eq!(between(&app(MANIFEST), &with("x")), ["+ route /c of `static response 200`"]);
    assert_eq!(between(&with("x"), &with("y")), ["~ route /c: `static response 200` → `static response 200`"]);
}

#[test]
fn the_value_of_a_secret_is_not_told() {
    let plan = plan(&[("\"old\"", "\"new\""), ("\"red\"", "\"blue\"")]);
    assert_eq!(
        plan.changes,
        ["~ variable `colour`: \"red\" → \"blue\"", "~ variable `password`: another secret default"]
    );
}

#[test]
fn a_variable_that_is_set_from_outside_is_told_as_such() {
    let outside = named(&["colour"]);
    let plan = Plan::between(&app(MANIFEST), &app(&MANIFEST.replace("\"red\"", "\"blue\"")), &outside);
    assert!(plan.changes.concat().contains("which the command line or the environment sets"), "{plan:?}");
}

#[test]
fn a_component_that_ticks_comes_and_goes_with_its_ticks() {
    let without = MANIFEST.split("[component.b]").next().unwrap();
    let removed = Plan::between(&app(MANIFEST), &app(without), &BTreeSet::new());
    assert_eq!((removed.changes.as_slice(), removed.ticks), (&["- component `b`".to_owned()][..], true));
    let added = Plan::between(&app(without), &app(MANIFEST), &BTreeSet::new());
    assert_eq!((added.changes.as_slice(), added.ticks), (&["+ component `b`".to_owned()][..], true));
    assert_eq!((added.added, added.remade), (named(&["b"]), named(&[])));
}

#[test]
fn another_interval_restarts_the_ticks_and_another_file_is_for_a_deploy() {
    let plan = plan(&[("tick_seconds = 5", "tick_seconds = 7"), ("b.wasm", "b2.wasm")]);
    assert_eq!(plan.changes, ["~ component `b`: source: b.wasm → b2.wasm", "~ component `b`: tick_seconds: 5 → 7"]);
    assert_eq!((plan.ticks, plan.moved, plan.remade), (true, named(&["b"]), named(&[])));
}

#[test]
fn other_middleware_is_another_setting_of_its_component() {
    let around = "component = \"a\"\ndependencies.middleware = [{ component = \"b\", inherit_configuration = true }]";
    let plan = Plan::between(
        &app(&MANIFEST.replace("tick_seconds = 5", "optional = true")),
        &app(&MANIFEST.replace("tick_seconds = 5", "optional = true").replace("component = \"a\"", around)),
        &BTreeSet::new(),
    );
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert!(change.starts_with("~ component `a`: middleware.0: none → b ("), "{change}");
    assert!(change.ends_with("b.wasm), composed in, inherits all"), "{change}");
    assert_eq!((&plan.restart, &plan.remade), (&Vec::new(), &named(&["a"])));
}

#[test]
fn another_composition_is_another_setting_and_so_is_another_content_of_its_files() {
    let composed = "[component.a.dependencies]\n\"some:library\" = { component = \"b\" }\n[component.a.tool.plaza]";
    let mut plan = plan(&[("[component.a.tool.plaza]", composed)]);
    let [change] = plan.changes.as_slice() else { panic!("{:?}", plan.changes) };
    assert!(change.starts_with("~ component `a`: dependencies.\"some:library\": none → b ("), "{change}");
    assert!(change.ends_with("b.wasm), composed in"), "{change}");
    assert_eq!((&plan.restart, &plan.remade), (&Vec::new(), &named(&["a"])));
    plan.remade.clear();
    let app = app(MANIFEST);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("b.wasm");
    let mut component = app.components["a"].clone();
    let part = Composed { component: None, file: file.clone(), download: None, export: None, inherit: Inherit::All };
    component.composed.insert("some:library".to_owned(), part);
    let holding = |text: &str| {
        std::fs::write(&file, text).unwrap();
        Files::read([&component])
    };
    let (before, after) = (holding("before"), holding("after"));
    plan.composed_anew("a", std::slice::from_ref(&file), &after, &app);
    let change = plan.changes.last().unwrap();
    assert!(
        change.starts_with("~ component `a`: ") && change.contains("b.wasm, composed in, was built anew"),
        "{change}"
    );
    assert!(change.ends_with(&format!("({})", &after.hash(&file).unwrap()[..12])), "{change}");
    let mut other = app.clone();
    other.components.insert("a".to_owned(), component.clone());
    let mut unused = Plan::default();
    unused.unused_anew(&before, &before, &other);
    assert!(unused.changes.is_empty());
    unused.unused_anew(&before, &after, &other);
    let [change] = unused.changes.as_slice() else { panic!("{:?}", unused.changes) };
    assert!(change.contains("b.wasm, not composed into what answers, was built anew"), "{change}");
    assert!(unused.remade.is_empty());
    let digest = |files: &Files, own| plan.digest(files, std::iter::once(own));
    assert_eq!(digest(&after, "own"), digest(&after, "own"));
    assert_ne!(digest(&after, "own"), digest(&before, "own"), "it is bound to what the files hold");
    assert_ne!(digest(&after, "own"), digest(&after, "other"));
    assert_eq!(plan.remade, named(&["a"]));
}

#[test]
fn another_name_and_a_new_password_take_a_restart() {
    let other = "name = \"store\"";
    let password = "[application.tool.plaza.generate]\npassword = \"password\"\n[variables]";
    let plan = plan(&[("name = \"stall\"", other), ("[variables]", password)]);
    assert_eq!(plan.restart, ["the application's name: stall → store", "+ generated variable `password`: password"]);
}

#[test]
fn channels_come_and_go_and_what_an_address_has_for_a_password_is_not_told() {
    let with = |address: &str| {
        let trigger = format!("[[trigger.redis]]\nchannel = \"news\"\naddress = \"{address}\"\ncomponent = \"b\"\n");
        app(&MANIFEST.replace("[component.a]", &format!("{trigger}[component.a]")))
    };
    let between = |before: &App, after: &App| Plan::between(before, after, &BTreeSet::new()).changes;
    assert_eq!(between(&app(MANIFEST), &with("redis://:secret@db")), ["+ channel news of `b`: redis://…@db"]);
    assert_eq!(between(&with("redis://db"), &app(MANIFEST)), ["- channel news of `b`"]);
    assert_eq!(
        between(&with("redis://db"), &with("redis://other")),
        ["~ channel news of `b`: redis://db → redis://other"]
    );
    assert_eq!(between(&with("redis://:old@db"), &with("redis://:new@db")), ["~ channel news of `b`: another address"]);
}
