//! The shop is one that Spin 4 can serve: it provides what the components import, or composes it out of the manifest's dependencies.

use std::collections::BTreeSet;

use plaza_tests::workspace;
use toml::{Table, Value};
use wasmparser::{Parser, Payload};

/// What Spin 4 provides: packages and their versions. A version of WASI 0.2 serves those that differ in its last number alone.
const PROVIDED: &[(&str, &[&str])] = &[
    ("wasi:cli", &["0.2", "0.3.0"]),
    ("wasi:clocks", &["0.2", "0.3.0"]),
    ("wasi:config", &["0.2.0-draft-2024-09-27"]),
    ("wasi:filesystem", &["0.2", "0.3.0"]),
    ("wasi:http", &["0.2", "0.3.0"]),
    ("wasi:io", &["0.2"]),
    ("wasi:keyvalue", &["0.2.0-draft2"]),
    ("wasi:random", &["0.2", "0.3.0"]),
    ("wasi:sockets", &["0.2", "0.3.0"]),
    ("fermyon:spin", &["2.0.0"]),
    ("spin:key-value", &["3.0.0"]),
    ("spin:mqtt", &["3.0.0"]),
    ("spin:mysql", &["3.0.0"]),
    ("spin:postgres", &["3.0.0", "4.0.0", "4.1.0", "4.2.0"]),
    ("spin:redis", &["3.0.0"]),
    ("spin:sqlite", &["3.0.0", "3.1.0"]),
    ("spin:variables", &["3.0.0"]),
];

/// What a component may have and still be composed into another: more would be lost there.
const COMPOSABLE: &[&str] = &["source", "description", "build", "targets", "tool"];

/// The names that a component imports and exports.
#[derive(Default)]
struct Surface {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

fn surface(component: &Value) -> Surface {
    let file = workspace().join(component["source"].as_str().expect("a file"));
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}; run `make build`", file.display()));
    let (mut surface, mut depth) = (Surface::default(), 0);
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.expect("a sound component") {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(imports) if depth == 0 => {
                surface
                    .imports
                    .extend(imports.into_iter().map(|one| one.expect("a sound import").name.name.to_owned()));
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                surface
                    .exports
                    .extend(exports.into_iter().map(|one| one.expect("a sound export").name.name.to_owned()));
            }
            _ => {}
        }
    }
    surface
}

/// Whether Spin provides the import, such as `wasi:cli/environment@0.3.0`.
fn is_provided(import: &str) -> bool {
    let Some((name, version)) = import.split_once('@') else { return false };
    let package = name.split('/').next().unwrap_or_default();
    let versions = PROVIDED.iter().find(|(known, _)| *known == package).map_or(&[][..], |(_, versions)| *versions);
    versions.iter().any(|known| match *known {
        "0.2" => version.strip_prefix("0.2.").is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())),
        exact => exact == version,
    })
}

fn components() -> Table {
    let text = std::fs::read_to_string(workspace().join("spin.toml")).expect("the manifest");
    let manifest: Table = text.parse().expect("sound TOML");
    manifest["component"].as_table().expect("components").clone()
}

/// What a component imports and Spin neither provides nor composes out of the manifest.
fn lacking(components: &Table, component: &Value) -> Vec<String> {
    let dependencies = component.get("dependencies").and_then(Value::as_table);
    let composed = |import: &str| {
        let provider = dependencies.and_then(|all| all.get(import)?.get("component")?.as_str());
        let provider = provider.map(|id| surface(&components[id]));
        provider.is_some_and(|provider| {
            provider.exports.contains(import) && provider.imports.iter().all(|import| is_provided(import))
        })
    };
    surface(component).imports.into_iter().filter(|import| !is_provided(import) && !composed(import)).collect()
}

#[test]
fn no_component_imports_what_spin_neither_provides_nor_composes() {
    let components = components();
    for (id, component) in &components {
        assert_eq!(lacking(&components, component), [] as [String; 0], "{id}");
    }
}

#[test]
fn what_is_composed_has_nothing_of_its_own_that_spin_would_leave_out() {
    let components = components();
    let tables = components.values().filter_map(|component| component.get("dependencies")?.as_table());
    let providers: BTreeSet<&str> =
        tables.flat_map(Table::values).filter_map(|dependency| dependency.get("component")?.as_str()).collect();
    assert!(providers.contains("rest-clients"));
    for id in providers {
        let keys = components[id].as_table().expect("a component").keys();
        let more: Vec<&String> = keys.filter(|key| !COMPOSABLE.contains(&key.as_str())).collect();
        assert!(more.is_empty(), "{id}: {more:?}");
    }
}

#[test]
fn without_its_dependencies_a_component_would_lack_its_neighbours() {
    let components = components();
    let mut orders = components["orders"].clone();
    orders.as_table_mut().expect("a component").remove("dependencies");
    assert_eq!(lacking(&components, &orders), ["shop:products/inventory@1.0.0", "shop:users/directory@1.0.0"]);
}
