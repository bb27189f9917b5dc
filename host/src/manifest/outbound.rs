//! Whom a component may call: `allowed_outbound_hosts`, and `allowed_http_hosts` from before it.

use super::{
    component,
    section::{Node, Section},
    template::Template,
};

/// What opened everything in the older key.
const ALL: &str = "insecure:allow-all";

/// The grants of both keys, in the words of the newer one.
pub(super) fn read(section: &Section<'_>) -> Vec<Template> {
    let listed = |key| section.get(key).map(|node| node.list()).unwrap_or_default();
    let older = listed("allowed_http_hosts").iter().flat_map(read_older).collect::<Vec<_>>();
    listed("allowed_outbound_hosts").iter().filter_map(component::read_template).chain(older).collect()
}

/// An entry of the older key: a host, with its port where that is not the scheme's own.
fn read_older(node: &Node<'_>) -> Vec<Template> {
    let Some(text) = node.string() else { return Vec::new() };
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
    let host = host.strip_suffix('/').unwrap_or(host);
    let schemes: &[&str] = match host {
        ALL => return ["http://*:*", "https://*:*"].into_iter().filter_map(|all| Template::parse(all).ok()).collect(),
        "" => &[],
        _ if host.contains(['/', '?', '#', '*', '{', '@']) => &[],
        "self" => &["http"],
        _ => &["http", "https"],
    };
    if schemes.is_empty() {
        node.fault(
            format!("`{text}` is no host"),
            "write a host, with its port if need be, or use `allowed_outbound_hosts`",
        );
    }
    schemes.iter().filter_map(|scheme| Template::parse(&format!("{scheme}://{host}")).ok()).collect()
}
