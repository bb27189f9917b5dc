//! Does a component need addresses that the manifest does not grant? Pure.

use std::sync::Arc;

use super::Neighbours;
use crate::{
    manifest::{app::Component, import, template::Template},
    service::contract::Surface,
};

/// Interfaces of which an import is of no use without an address in `allowed_outbound_hosts`, and by which schemes such
/// addresses are called; none where it does not matter.
const NEED_ADDRESSES: [(&str, &[&str]); 6] = [
    ("wasi:http/outgoing-handler", &["http", "https"]),
    ("wasi:http/client", &["http", "https"]),
    ("spin:postgres/postgres", &["postgres", "postgresql"]),
    ("fermyon:spin/postgres", &["postgres", "postgresql"]),
    // Not `fermyon:spin/redis`, which SDKs for other languages import whether or not their program uses it.
    ("spin:redis/redis", &["redis", "rediss"]),
    ("wasi:sockets/tcp-create-socket", &[]),
];

/// What it needs that the versions before did not, and the manifest does not grant.
pub fn ungranted(component: &Component, surface: &Surface, neighbours: &Neighbours) -> Vec<String> {
    let before: Vec<&Arc<Surface>> = neighbours.get(&component.id).into_iter().flatten().collect();
    // Who imports nothing but types calls nobody.
    let imports = |surface: &Surface, wanted: &str| {
        let mut all = surface.imports.iter();
        all.any(|(name, interface)| import::same_interface(name, wanted) && !interface.is_types_only())
    };
    let new = NEED_ADDRESSES.iter().filter(|(wanted, schemes)| {
        imports(surface, wanted)
            && !before.iter().any(|before| imports(before, wanted))
            && !grant(&component.allowed_outbound_hosts, schemes)
    });
    new.map(|(wanted, schemes)| {
        let kind = if schemes.is_empty() { String::new() } else { format!(" by {}", schemes.join(" or ")) };
        format!(
            "it needs {wanted}, and the manifest grants it no address{kind}: add one to `allowed_outbound_hosts` of [component.{}] and run `plaza apply`",
            component.id
        )
    })
    .collect()
}

/// Whether one of these addresses is called by one of the schemes. A scheme that a variable holds may be any.
fn grant(hosts: &[Template], schemes: &[&str]) -> bool {
    hosts.iter().any(|host| {
        let entry = host.to_string();
        let scheme = entry.trim().split_once("://").map_or("", |(scheme, _)| scheme);
        let is_any = schemes.is_empty() || scheme == "*" || scheme.contains("{{") || entry.starts_with("{{");
        is_any || schemes.iter().any(|wanted| wanted.eq_ignore_ascii_case(scheme))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_use_where_its_scheme_is_the_one_that_is_called() {
        let hosts = |entries: &[&str]| entries.iter().map(|entry| Template::parse(entry).unwrap()).collect::<Vec<_>>();
        let http = &["http", "https"];
        for entry in ["http://one.example", "HTTPS://*:*", "*://one.example:1", "{{ address }}", "{{ scheme }}://a:1"] {
            assert!(grant(&hosts(&["postgres://{{ host }}", entry]), http), "{entry}");
        }
        assert!(!grant(&hosts(&["postgres://{{ host }}", "redis://one.example"]), http));
        assert!(!grant(&[], http));
        assert!(grant(&hosts(&["postgres://{{ host }}"]), &[]), "whatever the scheme");
    }
}
