//! Holds the page on Spin's keys against what is read: every example is read, and every key that is known has a row.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{APPLICATION, Source, TOP, VARIABLE, channel, component, dependency, middleware, profile, read, trigger};

const PAGE: &str = include_str!("../../../docs/spin-manifest.md");

/// What every example is put into.
const AROUND: &str = r#"
spin_manifest_version = 2
application.name = "example"
trigger.http = [{ route = "/...", component = "web" }]
component.web.source = "web.wasm"
component.web.tool.plaza.optional = true
component.maths.source = "maths.wasm"
component.maths.tool.plaza.optional = true
"#;

struct Row<'a> {
    key: &'a str,
    example: &'a str,
    /// As on the page: `served`, or `refused: ` and the message.
    plaza: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| `"));
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [key, example, plaza] = cells.as_slice() else { panic!("three cells: {line}") };
        Row { key: key.trim_matches('`'), example: example.trim_matches('`'), plaza }
    });
    rows.collect()
}

/// Puts one table over another.
fn lay_over(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => _ = below.insert(key, value),
        }
    }
}

#[test]
fn each_example_on_the_page_is_served_or_refused_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    for Row { example, plaza, .. } in rows() {
        let mut manifest: Table = AROUND.parse().unwrap();
        lay_over(&mut manifest, example.parse().unwrap_or_else(|error| panic!("{example}: {error}")));
        std::fs::write(&file, manifest.to_string()).unwrap();
        let found: Vec<String> = read(&Source::plain(&file)).faults.into_iter().map(|fault| fault.message).collect();
        match plaza.strip_prefix("refused: ") {
            Some(message) => assert_eq!(found, [message], "{example}"),
            None => {
                assert!(plaza == "served" || plaza.starts_with("served: "), "{plaza}");
                assert_eq!(found, [] as [String; 0], "{example}");
            }
        }
    }
}

#[test]
fn each_key_that_is_known_has_its_row() {
    let shown: BTreeSet<&str> = rows().iter().map(|row| row.key).collect();
    let import = "component.<id>.dependencies.<import>";
    let known = [
        ("", TOP),
        ("application", APPLICATION),
        ("application.trigger", trigger::KINDS),
        ("variables.<name>", VARIABLE),
        ("trigger", trigger::KINDS),
        ("trigger.http", trigger::HTTP),
        ("trigger.http.dependencies", middleware::KINDS),
        ("trigger.http.dependencies.middleware", middleware::KEYS),
        ("trigger.redis", channel::KEYS),
        ("application.trigger.redis", channel::GLOBAL),
        ("component.<id>", component::KEYS),
        ("component.<id>.build", component::BUILD),
        ("component.<id>.profile.<name>", profile::KEYS),
        (import, dependency::KEYS),
    ];
    for (table, keys) in known {
        for key in keys {
            let name = if table.is_empty() { (*key).to_owned() } else { format!("{table}.{key}") };
            assert!(shown.contains(&*name), "{name} is on no row of the page");
        }
    }
}

#[test]
fn a_profile_stands_in_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    let profile = r#"
[component.web.environment]
KEPT = "own"
LEVEL = "own"
[component.web.build]
command = "make"
workdir = "web"
[component.web.profile.debug]
source = "debug.wasm"
environment = { LEVEL = "debug" }
dependencies = { "some:library/maths@1.0.0" = { component = "maths" } }
build.command = "make debug"
"#;
    std::fs::write(&file, format!("{AROUND}{profile}")).unwrap();
    let reading = |profile: Option<&str>| read(&Source { profile: profile.map(str::to_owned), ..Source::plain(&file) });
    let seen = |profile: Option<&str>| {
        let app = reading(profile).into_app().unwrap();
        let web = &app.components["web"];
        let build = web.build.as_ref().unwrap();
        let environment = web.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let environment = environment.collect::<Vec<_>>().join(" ");
        let source = web.source.file_name().unwrap().to_str().unwrap().to_owned();
        (source, environment, web.composed.len(), build.commands.join(" "), build.workdir.display().to_string())
    };
    let whole = |source: &str, environment: &str, composed, command: &str| {
        (source.to_owned(), environment.to_owned(), composed, command.to_owned(), "web".to_owned())
    };
    assert_eq!(seen(None), whole("web.wasm", "KEPT=own LEVEL=own", 0, "make"));
    assert_eq!(seen(Some("debug")), whole("debug.wasm", "KEPT=own LEVEL=debug", 1, "make debug"));
    let faults = reading(Some("debgu")).into_app().unwrap_err();
    assert_eq!(faults[0].message, "no component has a profile `debgu`");
    assert_eq!(faults[0].remedy, "did you mean `debug`?");
}

#[test]
fn the_base_goes_before_every_path_but_no_private_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spin.toml");
    let routes = r#"
trigger.http = [
    { route = "/", component = "web" },
    { route = "/users/:id", component = "web" },
    { route = "/...", component = "web" },
    { route = { private = true }, component = "maths" },
]
component.web.source = "web.wasm"
component.maths.source = "maths.wasm"
"#;
    let paths = |base: &str| {
        let head =
            format!("spin_manifest_version = 2\napplication.name = \"a\"\napplication.trigger.http.base = \"{base}\"");
        std::fs::write(&file, format!("{head}{routes}")).unwrap();
        let app = read(&Source::plain(&file)).into_app()?;
        let path = |route: &super::app::RouteTrigger| match &route.route {
            super::app::Route::Path(path) => path.clone(),
            super::app::Route::Private => "private".to_owned(),
        };
        Ok::<_, Vec<super::Fault>>(app.routes.iter().map(path).collect::<Vec<_>>())
    };
    assert_eq!(paths("/").unwrap(), ["/", "/users/:id", "/...", "private"]);
    assert_eq!(paths("/api/").unwrap(), ["/api", "/api/users/:id", "/api/...", "private"]);
    for wrong in ["api", "/:id", "/...", "/a//b"] {
        assert_eq!(paths(wrong).unwrap_err()[0].message, format!("`{wrong}` is no base for routes"));
    }
}
