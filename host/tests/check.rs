//! Bad manifests and bad components: folders of `tests/check`, with the expected text beside them.
//!
//! `<component>.wit` in such a folder becomes `<component>.wasm`, a component that has the WIT's world `it` and does nothing;
//! an empty `<component>.module` becomes an empty core module; other files are used as they are; `runtime-config.toml` is what stands behind `--runtime-config-file`. With `PLAZA_BLESS=1` the expected texts are
//! written anew: read what changed before you commit it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use plaza::{
    cli::check,
    manifest::{
        Source,
        runtime_config::{self, RuntimeConfig},
    },
};
use wasmtime::{Config, Engine};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

#[test]
fn every_bad_manifest_and_component_gets_its_text() {
    let engine = engine();
    let mut differing = Vec::new();
    for case in cases() {
        let found = text_of(&case, &engine);
        let expected_file = case.join("expected.txt");
        if std::env::var_os("PLAZA_BLESS").is_some() {
            fs::write(&expected_file, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        if found != expected {
            differing.push(format!("{}\n--- expected\n{expected}--- found\n{found}", case.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/check");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are not where they should be");
    cases
}

fn text_of(case: &Path, engine: &Engine) -> String {
    let scratch = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        place(&path, scratch.path());
    }
    let manifest = scratch.path().join("spin.toml");
    let config = scratch.path().join("runtime-config.toml");
    let config = if config.exists() { runtime_config::read(&config) } else { Ok(RuntimeConfig::default()) };
    let faults = match config {
        Ok(config) => check::check(&Source::plain(&manifest), &config, engine, &check::host_serves),
        Err(faults) => faults,
    };
    let mut out = Vec::new();
    check::report(&manifest, &faults, &mut out).unwrap();
    String::from_utf8(out).unwrap().replace(&format!("{}/", scratch.path().display()), "")
}

fn place(path: &Path, folder: &Path) {
    let name = path.file_name().unwrap();
    let wasm = folder.join(name).with_extension("wasm");
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("wit") => fs::write(wasm, component(&fs::read_to_string(path).unwrap())).unwrap(),
        Some("module") => fs::write(wasm, b"\0asm\x01\0\0\0").unwrap(),
        _ if path.is_dir() => {
            let inner = folder.join(name);
            fs::create_dir(&inner).unwrap();
            fs::read_dir(path).unwrap().for_each(|entry| place(&entry.unwrap().path(), &inner));
        }
        _ => drop(fs::copy(path, folder.join(name)).unwrap()),
    }
}

/// A component of the WIT's world `it`.
fn component(wit: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("component.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("it")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).unwrap()
}
