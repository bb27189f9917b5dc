use super::*;
use crate::limits::Threads;

/// Reads a manifest's text from a file, as the command does.
fn read_text(text: &str) -> Reading {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spin.toml");
    std::fs::write(&path, text).unwrap();
    read(&Source::plain(path))
}

fn messages(text: &str) -> Vec<String> {
    read_text(text)
        .faults
        .iter()
        .map(|fault| format!("{}: {}", fault.line.unwrap_or_default(), fault.message))
        .collect()
}

const WHOLE: &str = r#"
spin_manifest_version = 2

[application]
name = "example"
version = "1.0.0"
authors = ["someone"]

[application.tool.plaza.generate]
service_token = "token"
token_key = "ed25519"

[application.tool.other]
whatever = 1

[variables]
service_token = { required = true, secret = true }
token_key = { required = true, secret = true }
orders_database_url = { required = true, secret = true }
orders_database_host = { required = true }
currency = { default = "EUR" }

[[trigger.http]]
route = "/api/v1/orders/..."
component = "orders"

[[trigger.http]]
id = "inline"
route = { private = true }
executor = { type = "spin" }
component = { source = "inline.wasm" }

[component.orders]
source = "target/orders.wasm"
allowed_outbound_hosts = ["postgres://{{ orders_database_host }}", "http://users.spin.internal"]
files = ["assets/**/*", { source = "static", destination = "/" }]
variables = { currency = "{{ currency }}", url = "{{ orders_database_url }}" }
environment = { PLACE = "here" }
build = { command = "make", workdir = "components/orders", watch = ["src/**"] }

[component.orders.dependencies]
"example:users/directory@1.0.0" = { component = "rest-clients", inherit_configuration = ["variables"] }
"example:products@1.0.0" = { component = "products" }

[component.orders.tool.plaza]
database = "orders_database"
migrations = "components/orders/migrations"
outbox = "outbox"
subscribe = ["payment-events"]
tick_seconds = 5
limits = { memory_mib = 64, request_ms = 1000, threads = "background" }
dependencies = { "example:users/directory@1.0.0" = { component = "users" } }

[component.users]
source = "target/users.wasm"
[component.products]
source = "target/products.wasm"
[component.rest-clients]
source = "target/rest_clients.wasm"
"#;

#[test]
fn a_whole_manifest_becomes_an_application() {
    let app = read_text(WHOLE).into_app().unwrap();
    let orders = &app.components["orders"];
    assert_eq!((app.name.as_str(), app.version.as_deref()), ("example", Some("1.0.0")));
    assert_eq!(app.generate["token_key"], Generate::Ed25519);
    assert_eq!(app.variables["currency"], Variable { default: Some("EUR".into()), secret: false });
    assert_eq!(orders.source, app.base().join("target/orders.wasm"));
    assert_eq!(orders.plaza.tick_seconds, Some(5));
    assert_eq!(orders.plaza.migrations.as_deref(), Some(&*app.base().join("components/orders/migrations")));
    assert_eq!((orders.plaza.limits.memory_mib, orders.plaza.limits.threads), (64, Threads::Background));
    assert_eq!(orders.plaza.limits.queue, 1024);
    assert_eq!(orders.build.as_ref().unwrap().commands, ["make"]);
    let routes: Vec<_> = app.routes.iter().map(|route| route.component.as_str()).collect();
    assert_eq!(routes, ["orders", "inline-component"]);
    assert_eq!(app.routes[1].route, app::Route::Private);
}

#[test]
fn the_platforms_own_dependency_line_stands_in_for_spins() {
    let app = read_text(WHOLE).into_app().unwrap();
    let orders = &app.components["orders"];
    let links: Vec<_> = orders.links.iter().map(|(key, id)| (key.as_str(), id.as_str())).collect();
    assert_eq!(links, [("example:users/directory@1.0.0", "users")]);
    let composed: Vec<_> = orders.composed.iter().map(|(key, one)| (key.as_str(), one.component.as_deref())).collect();
    assert_eq!(composed, [("example:products@1.0.0", Some("products"))]);
}

#[test]
fn a_dependency_inherits_what_its_own_line_says_and_else_what_its_component_says() {
    let inherit = |own: &str, of_all: &str| {
        let text = WHOLE.replace("\"example:products@1.0.0\" = { component = \"products\" }", own);
        let text = text.replace("build = { command", &format!("{of_all}\nbuild = {{ command"));
        read_text(&text).app.components["orders"].composed["example:products@1.0.0"].inherit.clone()
    };
    let line = |more: &str| format!("\"example:products@1.0.0\" = {{ path = \"products.wasm\"{more} }}");
    let (nothing, all) = (app::Inherit::These(Vec::new()), "dependencies_inherit_configuration = true");
    assert_eq!(inherit(&line(""), ""), nothing);
    assert_eq!(inherit(&line(""), all), app::Inherit::All);
    assert_eq!(inherit(&line(", inherit_configuration = true"), ""), app::Inherit::All);
    assert_eq!(inherit(&line(", inherit_configuration = false"), all), nothing);
    let some = app::Inherit::These(vec!["variables".to_owned()]);
    assert_eq!(inherit(&line(", inherit_configuration = [\"variables\"]"), all), some);
}

#[test]
fn every_fault_comes_in_one_go_in_the_order_of_lines() {
    let text = WHOLE
        .replace("source = \"target/orders.wasm\"", "sorce = \"target/orders.wasm\"")
        .replace("tick_seconds = 5", "tick_seconds = 0")
        .replace("component = \"orders\"", "component = \"order\"")
        .replace("default = \"EUR\"", "default = 1");
    assert_eq!(
        messages(&text),
        [
            "21: `variables.currency.default` is a whole number",
            "24: the trigger names a component `order` that does not exist",
            "33: `component.orders` lacks the key `source`",
            "34: unknown key `component.orders.sorce`",
            "50: `component.orders.tool.plaza.tick_seconds` is 0",
        ]
    );
}

#[test]
fn a_missing_manifest_is_a_fault_of_its_own() {
    let faults = load(&Source::plain("/nowhere/spin.toml")).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].to_string().starts_with("/nowhere/spin.toml: cannot be read: "));
}

#[test]
fn syntax_errors_are_told_alone_and_with_their_line() {
    let found = messages("spin_manifest_version = 2\n[application\nname = \"x\"\n");
    assert!(!found.is_empty() && found.iter().all(|fault| fault.starts_with("2: is no TOML")), "{found:?}");
}

#[test]
fn a_manifest_in_the_working_folder_has_a_folder_around_it() {
    assert_eq!(read(&Source::plain("spin.toml")).app.base(), Path::new("."));
}
