//! The rules of the house that a machine can check.

use std::path::{Path, PathBuf};

use plaza_tests::setup::workspace;

/// More lines than any file should have.
const LONGEST_FILE: usize = 450;

#[test]
fn the_host_knows_no_business() {
    let business = ["orders", "products", "payments", "customer"];
    no_code_says("host/src", &business, "belongs to an application, not to the host");
    for file in files_below(&workspace().join("host/src")) {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        assert!(!text.contains("shop"), "{} speaks of a shop, if only as an example", file.display());
    }
}

#[test]
fn the_pure_modules_do_no_io_and_know_no_engine() {
    for module in ["host/src/manifest", "host/src/router.rs"] {
        no_code_says(module, &["wasmtime", "tokio", "sqlx", "std::net"], "has no place in a pure module");
    }
    no_code_says("host/src/service/contract.rs", &["Store", "tokio", "std::fs"], "has no place in a pure module");
}

#[test]
fn a_capability_knows_only_itself_and_what_a_store_holds() {
    let above = ["crate::server", "crate::service", "crate::app", "crate::control", "crate::cli"];
    no_code_says("host/src/capability", &above, "is built above the capabilities");
    let folders = std::fs::read_dir(workspace().join("host/src/capability")).unwrap().flatten();
    let names: Vec<String> = folders
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    for name in &names {
        let others: Vec<String> =
            names.iter().filter(|other| *other != name).map(|other| format!("capability::{other}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        no_code_says(&format!("host/src/capability/{name}"), &others, "is another capability");
    }
}

#[test]
fn what_bounds_clients_and_guests_has_its_name_among_the_limits() {
    // Not bounds: how times are told apart, where numbers of the protocol stand, how often one looks, what is told of it.
    let elsewhere = [
        "SPANS",
        "TICKETS",
        "_OID",
        "_PORT",
        "MICROS_PER",
        "_DAYS",
        "NUMERIC_",
        "RETRY_PAUSE",
        "BUS_PAUSE",
        "REFUSALS_TOLD",
        "WRITE_BYTES",
        "LINE_OVERHEAD",
    ];
    for place in [
        "service",
        "server",
        "capability",
        "engine/mod.rs",
        "events/group.rs",
        "events/lanes.rs",
        "events/lanes",
        "guest.rs",
    ] {
        for file in files_below(&workspace().join("host/src").join(place)).filter(|path| !path.ends_with("tests.rs")) {
            let text = std::fs::read_to_string(&file).unwrap();
            for line in without_tests(&text).lines().filter(|line| line.contains("const ") && is_bound(line)) {
                let is_none = elsewhere.iter().any(|word| line.contains(word));
                assert!(is_none, "{}: {line}: its place is host/src/limits.rs", file.display());
            }
        }
    }
}

/// Whether a constant is a number or a time.
fn is_bound(line: &str) -> bool {
    [": usize =", ": u16 =", ": u32 =", ": u64 =", ": i64 =", "Duration"].iter().any(|kind| line.contains(kind))
}

#[test]
fn a_component_depends_on_no_other_component_but_the_kit() {
    for manifest in files_below(&workspace().join("components")).filter(|path| path.ends_with("Cargo.toml")) {
        let text = std::fs::read_to_string(&manifest).unwrap();
        for line in text.lines().filter(|line| line.contains("path = \"../")) {
            assert!(line.contains("../kit"), "{}: {line}", manifest.display());
        }
    }
}

#[test]
fn a_domain_names_no_binding_no_http_and_no_sql() {
    let outside = ["spin_sdk", "axum", "wit_bindgen", "bindings::", "SELECT ", "INSERT INTO", "StatusCode"];
    for component in std::fs::read_dir(workspace().join("components")).unwrap().flatten() {
        let domain = component.path().join("src/domain");
        no_code_says(&domain.strip_prefix(workspace()).unwrap().to_string_lossy(), &outside, "is an adapter's matter");
    }
}

#[test]
fn a_route_is_made_with_its_description() {
    // `routes!` takes an operation out of its description, so no route can be without one.
    let bare = [".route(", ".route_service(", ".nest(", ".nest_service(", ".fallback(", "Router::new("];
    for component in std::fs::read_dir(workspace().join("components")).unwrap().flatten() {
        let source = component.path().join("src");
        no_code_says(&source.strip_prefix(workspace()).unwrap().to_string_lossy(), &bare, "goes past the document");
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for folder in ["host/src", "components", "tests"] {
        for file in files_below(&workspace().join(folder)).filter(|path| path.extension().is_some_and(|e| e == "rs")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let lines = without_tests(&text).lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines; one noun per file", file.display());
        }
    }
}

/// Fails when code below `place` contains one of `words`. Comments and tests may say what they like.
#[track_caller]
fn no_code_says(place: &str, words: &[&str], why: &str) {
    for file in files_below(&workspace().join(place)).filter(|path| !path.ends_with("tests.rs")) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for (number, line) in without_tests(&text).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in words {
                assert!(!code.contains(word), "{}:{}: {word:?} {why}: {line}", file.display(), number + 1);
            }
        }
    }
}

/// A file's text up to its test module.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

/// The file at `place`, or all files below it.
fn files_below(place: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let (mut waiting, mut files) = (vec![place.to_owned()], Vec::new());
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().flatten().map(|entry| entry.path()));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files.into_iter()
}
