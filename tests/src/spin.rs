//! The shop as Spin serves it: requests are answered, and nothing is done unasked.

use toml::Value;

use crate::manifest::{Manifest, application};

/// What a component does unasked.
const UNASKED: [&str; 3] = ["outbox", "subscribe", "tick_seconds"];

/// The shop's manifest without a word of what its components do unasked: a host that serves it relays nothing, calls no subscriber
/// and lets no clock tick. Databases and migrations are as in the whole one.
pub fn manifest() -> Manifest {
    let mut application = application();
    let components = application["component"].as_table_mut().expect("components");
    for (_, component) in components.iter_mut() {
        let settings = component.get_mut("tool").and_then(|tool| tool.get_mut("plaza")).and_then(Value::as_table_mut);
        if let Some(settings) = settings {
            settings.retain(|key, _| !UNASKED.contains(&key));
        }
    }
    Manifest::of_text(&application.to_string())
}
