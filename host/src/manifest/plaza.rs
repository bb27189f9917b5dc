//! What the manifest says to this host alone: `[application.tool.plaza]` and `[component.<id>.tool.plaza]`.

use std::{collections::BTreeMap, path::Path};

use super::{
    app::{Generate, PlazaSettings},
    dependency::{self, PlazaLine},
    name,
    section::{Node, Section},
};
use crate::limits::{ComponentLimits, Threads};

const KEYS: &[&str] = &[
    "database",
    "migrations",
    "outbox",
    "subscribe",
    "tick_seconds",
    "optional",
    "requires",
    "limits",
    "dependencies",
];
const LIMITS: &[&str] = &[
    "memory_mib",
    "request_ms",
    "answer_pause_ms",
    "answer_ms",
    "body_bytes",
    "instances",
    "concurrent_per_instance",
    "queue",
    "reuse",
    "database_connections",
    "query_bytes",
    "threads",
];
const KINDS: [(&str, Generate); 3] =
    [("password", Generate::Password), ("token", Generate::Token), ("ed25519", Generate::Ed25519)];

/// The longest a limit may be where its type would allow nonsense.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
const MEMORY_MIB: u64 = 4096;
const COUNT: u64 = 1_000_000;
const BYTES: u64 = 1 << 40;
const CONNECTIONS: u64 = 10_000;

/// `[application.tool.plaza]`: the variables to generate.
pub(super) fn read_generate(node: &Node<'_>) -> BTreeMap<String, Generate> {
    let Some(generate) = node.section(&["generate"]).and_then(|section| section.get("generate")) else {
        return BTreeMap::new();
    };
    generate.entries().iter().filter_map(|(name, node)| Some((name.clone(), read_kind(node)?))).collect()
}

/// `[component.<id>.tool.plaza]`: its settings, with these limits where it sets no others, and its dependencies apart.
pub(super) fn read(base: &Path, limits: &ComponentLimits, node: &Node<'_>) -> (PlazaSettings, Vec<PlazaLine>) {
    let Some(section) = node.section(KEYS) else {
        return Default::default();
    };
    let settings = PlazaSettings {
        database: read_name(&section, "database").filter(|name| is_free(&section, name)),
        migrations: section.string("migrations").map(|folder| base.join(folder)),
        outbox: read_name(&section, "outbox"),
        subscribe: read_topics(&section),
        tick_seconds: section.get("tick_seconds").and_then(|node| node.number(1, DAY_MS / 1000)),
        optional: section.get("optional").and_then(|node| node.boolean()).unwrap_or_default(),
        requires: section.strings("requires"),
        limits: section.get("limits").map_or_else(|| limits.clone(), |node| read_limits(&node, limits)),
    };
    for key in ["migrations", "outbox"] {
        if let Some(node) = section.get(key).filter(|_| section.get("database").is_none()) {
            node.fault(format!("`{key}` needs a database"), "add `database = \"<name>_database\"` beside it");
        }
    }
    (settings, section.get("dependencies").map(|node| dependency::read_plaza(&node)).unwrap_or_default())
}

fn read_kind(node: &Node<'_>) -> Option<Generate> {
    let text = node.string()?;
    let known = KINDS.iter().find(|(kind, _)| *kind == text).map(|(_, generate)| *generate);
    if known.is_none() {
        node.fault(format!("`{text}` is nothing to generate"), name::did_you_mean(&text, KINDS.map(|(kind, _)| kind)));
    }
    known
}

/// A name for something in PostgreSQL.
fn read_name(section: &Section<'_>, key: &str) -> Option<String> {
    let node = section.get(key)?;
    let text = node.string()?;
    if name::is_sql(&text) {
        return Some(text);
    }
    node.fault(
        format!("`{text}` is no name for a {}", if key == "outbox" { "table" } else { key }),
        "use at most 63 small letters, digits and single underscores, and start with a letter",
    );
    None
}

/// Databases that belong to the host or to the server itself.
const RESERVED_DATABASES: [&str; 4] = ["plaza", "postgres", "template0", "template1"];

fn is_free(section: &Section<'_>, database: &str) -> bool {
    let reserved = RESERVED_DATABASES.contains(&database);
    if let Some(node) = section.get("database").filter(|_| reserved) {
        node.fault(
            format!("the database `{database}` is not for components"),
            "name another, `<component>_database` for instance",
        );
    }
    !reserved
}

fn read_topics(section: &Section<'_>) -> Vec<String> {
    let Some(node) = section.get("subscribe") else {
        return Vec::new();
    };
    let mut topics: Vec<String> = Vec::new();
    for entry in node.list() {
        let Some(topic) = entry.string() else {
            continue;
        };
        if !name::is_topic(&topic) {
            entry.fault(format!("`{topic}` is no topic"), "use 1 to 249 letters, digits, `.`, `_` and `-`");
        } else if topics.contains(&topic) {
            entry.fault(format!("the topic `{topic}` stands here twice"), "take one of them out");
        } else {
            topics.push(topic);
        }
    }
    topics
}

fn read_limits(node: &Node<'_>, unless: &ComponentLimits) -> ComponentLimits {
    let mut limits = unless.clone();
    let Some(section) = node.section(LIMITS) else {
        return limits;
    };
    set(&section, "memory_mib", MEMORY_MIB, &mut limits.memory_mib);
    set(&section, "request_ms", DAY_MS, &mut limits.request_ms);
    set(&section, "answer_pause_ms", DAY_MS, &mut limits.answer_pause_ms);
    set(&section, "answer_ms", DAY_MS, &mut limits.answer_ms);
    set(&section, "body_bytes", BYTES, &mut limits.body_bytes);
    set(&section, "instances", COUNT, &mut limits.instances);
    set(&section, "concurrent_per_instance", COUNT, &mut limits.concurrent_per_instance);
    set(&section, "queue", COUNT, &mut limits.queue);
    set(&section, "reuse", COUNT, &mut limits.reuse);
    set(&section, "database_connections", CONNECTIONS, &mut limits.database_connections);
    set(&section, "query_bytes", BYTES, &mut limits.query_bytes);
    if let Some(node) = section.get("threads") {
        match node.string().as_deref() {
            Some("shared") => limits.threads = Threads::Shared,
            Some("background") => limits.threads = Threads::Background,
            Some(other) => {
                node.fault(format!("`{other}` are no threads"), name::did_you_mean(other, ["shared", "background"]))
            }
            None => {}
        }
    }
    limits
}

fn set<T: TryFrom<u64>>(section: &Section<'_>, key: &str, most: u64, limit: &mut T) {
    let number = section.get(key).and_then(|node| node.number(1, most));
    if let Some(number) = number.and_then(|number| T::try_from(number).ok()) {
        *limit = number;
    }
}
