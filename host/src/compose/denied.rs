//! Which interfaces reach what the manifest grants, and under which name a part imports what it does not inherit.

use crate::manifest::{app::Inherit, import};

/// Interfaces by the key of the manifest under which stands what they reach: those that Spin's adapter denies, and
/// what sockets begin with.
const INTERFACES: [(&str, &[&str]); 7] = [
    ("ai_models", &["fermyon:spin/llm"]),
    (
        "allowed_outbound_hosts",
        &[
            "wasi:http/client",
            "wasi:http/outgoing-handler",
            "fermyon:spin/http",
            "fermyon:spin/mqtt",
            "fermyon:spin/redis",
            "spin:mqtt/mqtt",
            "spin:redis/redis",
            "wasi:sockets/ip-name-lookup",
            "wasi:sockets/tcp-create-socket",
            "wasi:sockets/types",
            "wasi:sockets/udp-create-socket",
        ],
    ),
    ("environment", &["wasi:cli/environment"]),
    ("files", &["wasi:filesystem/preopens"]),
    (
        "key_value_stores",
        &[
            "fermyon:spin/key-value",
            "spin:key-value/key-value",
            "wasi:keyvalue/store",
            "wasi:keyvalue/atomics",
            "wasi:keyvalue/batch",
        ],
    ),
    (
        "sqlite_databases",
        &[
            "fermyon:spin/mysql",
            "fermyon:spin/postgres",
            "fermyon:spin/sqlite",
            "spin:mysql/mysql",
            "spin:postgres/postgres",
            "spin:sqlite/sqlite",
        ],
    ),
    ("variables", &["fermyon:spin/config", "fermyon:spin/variables", "spin:variables/variables", "wasi:config/store"]),
];

/// What the names begin with under which the host declines.
const NAMESPACE: &str = "plaza-denied:";

/// What an import under another name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// The interface, without its version.
    pub interface: &'static str,
    /// The key of the manifest that the part does not inherit.
    pub key: &'static str,
}

/// The other name of an import that a part is not to have: `plaza-denied:wasi-http/client@0.3.0` for `wasi:http/client@0.3.0`.
pub(super) fn denied_name(import: &str, inherit: &Inherit) -> Option<String> {
    let Inherit::These(inherited) = inherit else { return None };
    let (key, _) = interfaces().find(|(_, interface)| import::same_interface(interface, import))?;
    (!inherited.iter().any(|one| one == key)).then(|| renamed(import))
}

/// What stands behind an import that has such a name.
pub fn denied(import: &str) -> Option<Denied> {
    if !import.starts_with(NAMESPACE) {
        return None;
    }
    let mut known = interfaces().filter(|(_, interface)| import::same_interface(&renamed(interface), import));
    known.next().map(|(key, interface)| Denied { interface, key })
}

fn renamed(import: &str) -> String {
    format!("{NAMESPACE}{}", import.replacen(':', "-", 1))
}

fn interfaces() -> impl Iterator<Item = (&'static str, &'static str)> {
    INTERFACES.iter().flat_map(|(key, interfaces)| interfaces.iter().map(|interface| (*key, *interface)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::dependency::INHERITABLE;

    fn these(keys: &[&str]) -> Inherit {
        Inherit::These(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    #[test]
    fn what_is_not_inherited_has_another_name_and_nothing_else_has() {
        let name = |import, keys: &[&str]| denied_name(import, &these(keys));
        let other = "plaza-denied:wasi-http/client@0.3.0".to_owned();
        assert_eq!(name("wasi:http/client@0.3.0", &[]), Some(other.clone()));
        assert_eq!(name("wasi:http/client@0.3.0", &["variables", "files"]), Some(other));
        assert_eq!(name("wasi:http/client@0.3.0", &["allowed_outbound_hosts"]), None);
        assert_eq!(denied_name("wasi:http/client@0.3.0", &Inherit::All), None);
        for harmless in
            ["wasi:http/types@0.3.0", "wasi:clocks/monotonic-clock@0.3.0", "wasi:random/random@0.2.6", "run"]
        {
            assert_eq!(name(harmless, &[]), None, "{harmless}");
        }
    }

    #[test]
    fn the_other_name_says_what_it_stands_for() {
        for (key, interface) in interfaces() {
            let name = denied_name(&format!("{interface}@1.0.0"), &these(&[])).unwrap();
            assert_eq!(denied(&name), Some(Denied { interface, key }), "{name}");
        }
        assert_eq!(denied("wasi:http/client@0.3.0"), None);
        assert_eq!(denied("plaza-denied:something/else@1.0.0"), None);
    }

    #[test]
    fn each_key_that_can_be_inherited_stands_for_something() {
        let keys: Vec<&str> = INTERFACES.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, INHERITABLE);
    }
}
