//! What a `.wasm` file holds, as the bytes of a component.
//!
//! SDKs of before WASI 0.2 made core modules of WASI preview 1 that carry their component's types in custom sections
//! (`component-type…`). With wasmtime's adapter, which says in WASI 0.2 what such a module says in preview 1, they are components.
//! What names the interfaces of WASI 0.3 as its last candidate did is made to name those of the release (`candidate.rs`).

use std::borrow::Cow;

use thiserror::Error;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR_ADAPTER,
};
use wasmparser::{ExternalKind, Parser, Payload};
use wit_component::ComponentEncoder;

use super::candidate::released;

/// Which form these components have. What was compiled of another one is of no use: change this with what is made of a file.
pub(super) const FORM: &str = "WASI 0.3.0 by its own name";
/// The first bytes of every WebAssembly file, and what follows them in that of a core module.
const MARK: &[u8] = b"\0asm";
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// How the names of the custom sections begin in which a core module carries the types of its component.
const TYPES_SECTION: &str = "component-type";

/// Why a file is nothing the engine can run.
#[derive(Debug, Error)]
pub enum SourceError {
    /// The file has another format.
    #[error("is no WebAssembly")]
    NotWasm,
    /// A core module that does not say which interfaces it has.
    #[error("is a core module, not a component")]
    CoreModule,
    /// A core module that cannot be made a component.
    #[error("is a core module that cannot be made a component: {0}")]
    Unfit(String),
}

impl SourceError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotWasm => "name the `.wasm` file that the build command makes",
            Self::CoreModule => {
                "build it for the target `wasm32-wasip2`, or turn it into one with `wasm-tools component new`"
            }
            Self::Unfit(_) => "build it with a newer SDK for the target `wasm32-wasip2`",
        }
    }
}

/// The bytes of the component in a `.wasm` file: as they are, made from a core module of WASI preview 1, or with WASI 0.3 by the names
/// of its release.
///
/// # Errors
/// When the file is neither. Whether a component is valid is for the compiler to say.
pub fn component_bytes(file: &[u8]) -> Result<Cow<'_, [u8]>, SourceError> {
    if !file.starts_with(MARK) {
        return Err(SourceError::NotWasm);
    }
    if !file.starts_with(CORE_MODULE) {
        return Ok(released(Cow::Borrowed(file)));
    }
    let module = Module::read(file).map_err(|error| SourceError::Unfit(error.to_string()))?;
    if !module.carries_types {
        return Err(SourceError::CoreModule);
    }
    let adapter = if module.is_command { COMMAND_ADAPTER } else { REACTOR_ADAPTER };
    let made = ComponentEncoder::default()
        .module(file)
        .and_then(|encoder| encoder.adapter(ADAPTER_NAME, adapter))
        .and_then(|mut encoder| encoder.encode());
    // The chain of causes is long; its last link names the import or the type.
    let made = made.map(|component| released(Cow::Owned(component)));
    made.map_err(|error| SourceError::Unfit(error.root_cause().to_string()))
}

/// What decides how a core module becomes a component.
#[derive(Default)]
struct Module {
    carries_types: bool,
    /// Whether it is a program with a `main`, rather than a library of functions.
    is_command: bool,
}

impl Module {
    fn read(file: &[u8]) -> Result<Self, wasmparser::BinaryReaderError> {
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(file) {
            match payload? {
                Payload::CustomSection(section) if section.name().starts_with(TYPES_SECTION) => {
                    module.carries_types = true;
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        module.is_command |= export.kind == ExternalKind::Func && export.name == "_start";
                    }
                }
                _ => {}
            }
        }
        Ok(module)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_stays_as_it_is() {
        let component = b"\0asm\x0d\0\x01\0";
        assert_eq!(component_bytes(component).unwrap().as_ref(), component);
    }

    #[test]
    fn a_module_without_types_and_a_text_are_refused_each_with_its_remedy() {
        let refusal = |bytes: &[u8]| component_bytes(bytes).unwrap_err();
        assert!(matches!(refusal(CORE_MODULE), SourceError::CoreModule));
        assert!(matches!(refusal(b"#!/bin/sh"), SourceError::NotWasm));
        assert!(matches!(refusal(b"\0asm\x01\0\0\0\x0b\xff"), SourceError::Unfit(_)));
    }
}
