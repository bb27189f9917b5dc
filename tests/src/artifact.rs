//! Components to deploy.

use std::path::{Path, PathBuf};

use crate::workspace;

/// The component that was built from this package.
pub fn built(name: &str) -> PathBuf {
    workspace().join(format!("target/wasm32-wasip2/release/{}.wasm", name.replace('-', "_")))
}

/// The component of this name that is written in Python.
pub fn in_python(name: &str) -> PathBuf {
    let path = workspace().join(format!("target/guests/{name}-python.wasm"));
    assert!(path.exists(), "{} is missing; run `make guests`", path.display());
    path
}

/// The same component in other bytes: with a custom section more, of this text.
pub fn stamped(name: &str, stamp: &str) -> tempfile::TempPath {
    stamped_file(&built(name), stamp)
}

/// The same of any component's file.
pub fn stamped_file(file: &Path, stamp: &str) -> tempfile::TempPath {
    let mut bytes =
        std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}; run `make guests`", file.display()));
    let section = [&[5][..], b"stamp", stamp.as_bytes()].concat();
    let length = u8::try_from(section.len()).ok().filter(|length| *length < 0x80).expect("a short stamp");
    bytes.extend([0, length]);
    bytes.extend(section);
    written(&bytes)
}

/// The same component with a core module more that traps as soon as it is instantiated.
pub fn traps_at_once(name: &str) -> tempfile::TempPath {
    with_module(name, "(module (func $start unreachable) (start $start))")
}

/// The same component with a core module more that never comes to the end of its start.
pub fn loops_at_once(name: &str) -> tempfile::TempPath {
    with_module(name, "(module (func $start (loop (br 0))) (start $start))")
}

/// The same component with another memory of so many MiB.
pub fn with_memory(name: &str, mib: u32) -> tempfile::TempPath {
    with_module(name, &format!("(module (memory {}))", mib * 16))
}

/// The same component with one core module more, which is instantiated with it.
fn with_module(name: &str, module: &str) -> tempfile::TempPath {
    let mut bytes = std::fs::read(built(name)).unwrap_or_else(|error| panic!("{name}: {error}; run `make guests`"));
    let mut depth = 0;
    let mut modules: u8 = 0;
    for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
        match payload.expect("a sound component") {
            wasmparser::Payload::ModuleSection { .. } => {
                modules += u8::from(depth == 0);
                depth += 1;
            }
            wasmparser::Payload::ComponentSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    let module = wat::parse_str(module).expect("a module");
    let length = u8::try_from(module.len()).expect("a small module");
    assert!(length < 0x80 && modules < 0x80, "numbers of one byte");
    // Section 1 is a core module; section 2 holds one core instance, of that module and without arguments.
    bytes.extend([1, length]);
    bytes.extend(module);
    bytes.extend([2, 4, 1, 0, modules, 0]);
    written(&bytes)
}

/// A file of these bytes.
pub fn written(bytes: &[u8]) -> tempfile::TempPath {
    let file = tempfile::Builder::new().suffix(".wasm").tempfile().expect("a scratch file can be written");
    std::fs::write(file.path(), bytes).expect("a scratch file can be written");
    file.into_temp_path()
}
