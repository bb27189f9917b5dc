//! Interfaces that the host knows and does not serve. SDKs of Spin import them whether or not their program uses them, so that a
//! component that imports them is served, and what it asks of them is refused.

/// Interfaces, by how their names begin or by the whole of them, what stands behind them, and by which schemes an address is granted
/// for that.
const INTERFACES: [(&str, &str, &[&str]); 7] = [
    ("fermyon:spin/llm", LANGUAGE_MODEL, &[]),
    ("fermyon:spin/mqtt", MQTT, &["mqtt", "mqtts"]),
    ("fermyon:spin/mysql", MYSQL, &["mysql"]),
    ("spin:mqtt/", MQTT, &["mqtt", "mqtts"]),
    ("spin:mysql/", MYSQL, &["mysql"]),
    ("wasi:blobstore/", "a blob store", &[]),
    ("wasi:otel/", "OpenTelemetry", &[]),
];
const LANGUAGE_MODEL: &str = "a language model";
const MQTT: &str = "MQTT";
const MYSQL: &str = "MySQL";

/// What an import is for that the host does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unserved {
    /// What stands behind it under Spin.
    pub what: &'static str,
    /// The schemes of addresses that a component would be granted for it.
    pub schemes: &'static [&'static str],
}

/// What an import is for, if it is one of those that the host knows and does not serve, in whatever version.
pub fn unserved(import: &str) -> Option<Unserved> {
    let interface = import.split_once('@').map_or(import, |(interface, _)| interface);
    let is_meant = |known: &str| interface == known || (known.ends_with('/') && interface.starts_with(known));
    let (_, what, schemes) = INTERFACES.into_iter().find(|(known, ..)| is_meant(known))?;
    Some(Unserved { what, schemes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_known_in_every_version_and_nothing_else_is() {
        for (import, expected) in [
            ("spin:mqtt/mqtt@3.0.0", Some("MQTT")),
            ("spin:mysql/mysql@3.0.0", Some("MySQL")),
            ("fermyon:spin/llm@2.0.0", Some("a language model")),
            ("wasi:otel/tracing@0.2.0-rc.2", Some("OpenTelemetry")),
            ("wasi:blobstore/container@0.2.0-draft-2024-09-01", Some("a blob store")),
            ("fermyon:spin/mysql-types@2.0.0", None),
            ("spin:redis/redis@3.0.0", None),
            ("plaza-denied:spin-mqtt/mqtt@3.0.0", None),
        ] {
            assert_eq!(unserved(import).map(|unserved| unserved.what), expected, "{import}");
        }
    }
}
