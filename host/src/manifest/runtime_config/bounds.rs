//! `[outbound_http]` and the like: bounds of connections to others, which Spin heeds. This host has bounds of its own there, so
//! nothing is lost where these are passed over.

use super::super::section::Section;

const MOST: u64 = 1_000_000;
const CONNECTIONS: &str = "max_connections";
/// The older name. Its 0 lets one through, under Spin; that of the newer lets none, which is a grant and no bound.
const REQUESTS: &str = "max_concurrent_requests";
const POOLING: &str = "connection_pooling";

/// The tables, each with its keys.
pub(super) const TABLES: [(&str, &[&str]); 5] = [
    ("outbound_http", &[POOLING, CONNECTIONS, REQUESTS]),
    ("outbound_pg", &[CONNECTIONS]),
    ("outbound_redis", &[CONNECTIONS]),
    ("outbound_mysql", &[CONNECTIONS]),
    ("outbound_mqtt", &[CONNECTIONS]),
];

/// The names of those that say something.
pub(super) fn passed_over(root: &Section<'_>) -> Vec<&'static str> {
    let says = |(table, keys): &(&'static str, &[&str])| {
        let node = root.get(table).filter(|node| !node.is_empty())?;
        let section = node.section(keys)?;
        section.get(POOLING).and_then(|node| node.boolean());
        section.get(CONNECTIONS).and_then(|node| node.number(1, MOST));
        section.get(REQUESTS).and_then(|node| node.number(0, MOST));
        Some(*table)
    };
    TABLES.iter().filter_map(says).collect()
}
