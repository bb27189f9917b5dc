//! Variables a guest may read.
//!
//! The application resolves them once, before any guest runs; a read is a look-up in a map. Values may be secrets, so
//! nothing here logs them, and the context cannot be printed.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{Accessor, HasData, Linker};

mod bindings {
    wasmtime::component::bindgen!({
        path: [
            "../wit/deps/fermyon-spin",
            "../wit/deps/spin-variables",
            "../wit/deps/wasi-config",
        ],
        inline: "
            package plaza:variables;
            world imports {
                import fermyon:spin/variables@2.0.0;
                import spin:variables/variables@3.0.0;
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
        world: "plaza:variables/imports",
        imports: {
            "spin:variables/variables.get": async | store,
        },
    });
}

use bindings::{fermyon::spin::variables as v2, spin::variables::variables as v3, wasi::config::store as config};

/// The variables of one component, by the names it knows them by.
#[derive(Clone)]
pub struct VariablesContext {
    values: Arc<BTreeMap<String, String>>,
}

impl VariablesContext {
    /// Variables whose templates are resolved already.
    pub fn new(values: Arc<BTreeMap<String, String>>) -> Self {
        Self { values }
    }

    fn get(&self, name: String) -> Result<String, Missing> {
        match self.values.get(&name) {
            Some(value) => Ok(value.clone()),
            None if is_variable_name(&name) => Err(Missing::Undefined(name)),
            None => Err(Missing::InvalidName(name)),
        }
    }
}

/// Adds every interface through which a guest reads variables: `fermyon:spin/variables@2.0.0`,
/// `spin:variables/variables@3.0.0` and `wasi:config/store`.
///
/// # Errors
/// If one of the names is defined already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> &VariablesContext,
) -> wasmtime::Result<()> {
    v2::add_to_linker::<T, Variables>(linker, view)?;
    v3::add_to_linker::<T, Variables>(linker, view)?;
    config::add_to_linker::<T, Variables>(linker, view)
}

/// Why a variable has no value.
enum Missing {
    InvalidName(String),
    Undefined(String),
}

/// Whether Spin would let a variable have this name: lower-case words of letters and digits, joined by single
/// underscores, the first character a letter.
fn is_variable_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('_').all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

struct Variables;

impl HasData for Variables {
    type Data<'a> = &'a VariablesContext;
}

impl v2::Host for &VariablesContext {
    fn get(&mut self, name: String) -> Result<String, v2::Error> {
        VariablesContext::get(self, name).map_err(|missing| match missing {
            Missing::InvalidName(name) => v2::Error::InvalidName(name),
            Missing::Undefined(name) => v2::Error::Undefined(name),
        })
    }
}

impl v3::Host for &VariablesContext {}

impl<T: Send> v3::HostWithStore<T> for Variables {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> Result<String, v3::Error> {
        accessor.with(|mut access| access.get().get(name)).map_err(|missing| match missing {
            Missing::InvalidName(name) => v3::Error::InvalidName(name),
            Missing::Undefined(name) => v3::Error::Undefined(name),
        })
    }
}

impl config::Host for &VariablesContext {
    fn get(&mut self, key: String) -> Result<Option<String>, config::Error> {
        Ok(self.values.get(&key).cloned())
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, config::Error> {
        Ok(self.values.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> VariablesContext {
        let values = [("token".to_owned(), "abc".to_owned()), ("base_url".to_owned(), "http://x".to_owned())];
        VariablesContext::new(Arc::new(BTreeMap::from(values)))
    }

    #[test]
    fn a_granted_variable_is_read() {
        let context = context();
        assert_eq!(v2::Host::get(&mut &context, "token".into()).unwrap(), "abc");
    }

    #[test]
    fn a_variable_that_was_not_granted_is_undefined() {
        let context = context();
        let error = v2::Host::get(&mut &context, "other".into()).unwrap_err();
        assert!(matches!(error, v2::Error::Undefined(name) if name == "other"));
    }

    #[test]
    fn a_name_no_variable_can_have_is_invalid() {
        let context = context();
        for name in ["", "Token", "9lives", "a__b", "a_", "_a", "a-b"] {
            let error = v2::Host::get(&mut &context, name.into()).unwrap_err();
            assert!(matches!(error, v2::Error::InvalidName(_)), "{name:?}");
        }
    }

    #[test]
    fn wasi_config_answers_none_for_what_is_not_there() {
        let context = context();
        assert_eq!(config::Host::get(&mut &context, "other".into()).unwrap(), None);
        assert_eq!(config::Host::get_all(&mut &context).unwrap().len(), 2);
    }

    #[test]
    fn every_interface_can_be_linked() {
        let mut settings = wasmtime::Config::new();
        settings.wasm_component_model_async(true);
        let engine = wasmtime::Engine::new(&settings).unwrap();
        let mut linker = Linker::<VariablesContext>::new(&engine);
        add_to_linker(&mut linker, |context| context).unwrap();
    }
}
