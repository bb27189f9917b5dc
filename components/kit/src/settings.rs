//! The component's variables.

use std::{cell::RefCell, collections::HashMap};

use thiserror::Error;

/// A variable could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("variable `{name}` cannot be read: {cause}; declare it under [component.<id>.variables] in spin.toml")]
pub struct SettingError {
    /// The variable.
    pub name: String,
    /// The host's words.
    pub cause: String,
}

thread_local! {
    /// Values are fixed while an instance lives, so each is fetched once.
    static KNOWN: RefCell<HashMap<String, String>> = RefCell::default();
}

/// The variable's value.
pub async fn get(name: &str) -> Result<String, SettingError> {
    if let Some(value) = KNOWN.with_borrow(|known| known.get(name).cloned()) {
        return Ok(value);
    }
    let value = crate::local(fetch(name)).await.map_err(|cause| SettingError { name: name.to_owned(), cause })?;
    provide(name, &value);
    Ok(value)
}

/// The variable's value, or `default` where it is not declared or empty.
pub async fn get_or(name: &str, default: &str) -> String {
    match get(name).await {
        Ok(value) if !value.is_empty() => value,
        _ => default.to_owned(),
    }
}

/// Fixes a value by hand: what native tests do in place of a host.
pub fn provide(name: &str, value: &str) {
    KNOWN.with_borrow_mut(|known| known.insert(name.to_owned(), value.to_owned()));
}

#[cfg(target_family = "wasm")]
async fn fetch(name: &str) -> Result<String, String> {
    spin_sdk::variables::get(name).await.map_err(|error| format!("{error:?}"))
}

#[cfg(not(target_family = "wasm"))]
async fn fetch(_name: &str) -> Result<String, String> {
    Err("there is no host outside of a component".to_owned())
}
