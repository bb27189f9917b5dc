//! The triggers, those of HTTP first of all.

use std::path::Path;

use super::{
    Draft,
    app::{Route, RouteTrigger, StaticRoute},
    channel, component, middleware, name,
    section::{Node, Section},
    static_response,
};
use crate::router::Pattern;

/// Triggers that Spin or its plugins know.
pub(super) const KINDS: &[&str] = &["http", "redis", "command", "cron", "mqtt", "sqs", "kinesis"];
/// Those that this host serves.
const SERVED: &[&str] = &["http", "redis"];
pub(super) const HTTP: &[&str] =
    &["id", "component", "components", "dependencies", "route", "executor", "static_response"];

/// Reads every trigger.
pub(super) fn read(base: &Path, node: &Node<'_>, draft: &mut Draft) {
    for (kind, triggers) in node.entries() {
        match kind.as_str() {
            "http" => {
                for (number, trigger) in triggers.list().iter().enumerate() {
                    read_http(base, number, trigger, draft);
                }
            }
            "redis" => {
                for (number, trigger) in triggers.list().iter().enumerate() {
                    channel::read(base, number, trigger, draft);
                }
            }
            known if KINDS.contains(&known) => triggers.fault(
                format!("`{}` is not served yet", triggers.name()),
                "serve the component by `[[trigger.http]]`, or let it subscribe to events in `[component.<id>.tool.plaza]`",
            ),
            unknown => triggers.fault(
                format!("unknown trigger `{unknown}`"),
                name::did_you_mean(unknown, SERVED.iter().copied()),
            ),
        }
    }
}

/// `[application.trigger.<kind>]`: what goes before every path of a route, and where channels are.
pub(super) fn read_globals(triggers: &Section<'_>, draft: &mut Draft) {
    for kind in KINDS.iter().filter(|kind| !SERVED.contains(kind)) {
        triggers.refuse(kind, "take it out; only HTTP and Redis triggers are served");
    }
    let base = triggers.get("http").and_then(|http| http.section(&["base"])?.get("base"));
    draft.base_path = base.and_then(|node| read_base(&node)).unwrap_or_default();
    draft.redis_address = channel::read_global(triggers);
}

fn read_base(node: &Node<'_>) -> Option<String> {
    let path = node.string()?;
    let base = path.trim_end_matches('/');
    let problem = match Pattern::parse(if base.is_empty() { "/" } else { base }) {
        Err(problem) => problem.to_string(),
        Ok(_) if base.contains(':') || base.contains("...") => "write it without `:name` and `...`".to_owned(),
        Ok(_) => return Some(base.to_owned()),
    };
    node.fault(format!("`{path}` is no base for routes"), problem);
    None
}

fn read_http(base: &Path, number: usize, node: &Node<'_>, draft: &mut Draft) {
    let Some(section) = node.section(HTTP) else {
        return;
    };
    let id = read_id(&section, draft);
    refuse(&section);
    if section.get("executor").is_some() {
        read_executor(&section);
    }
    let route = section.require("route", "route = \"/...\"").and_then(|node| read_route(&node, &draft.base_path));
    if let Some(node) = section.get("static_response") {
        read_static(&section, &node, route, draft);
        return;
    }
    let component = read_component(base, "http", number, id, &section, draft);
    if let Some(component) = &component {
        middleware::read(base, component, number, &section, draft);
    }
    if let (Some(component), Some(route)) = (component, route) {
        draft.routes.push((section_line(&section), RouteTrigger { component, route }));
    }
}

/// The `id` of a trigger of whatever kind, which no other may have.
pub(super) fn read_id(section: &Section<'_>, draft: &mut Draft) -> Option<String> {
    let id = section.string("id");
    if let (Some(id), Some(node)) = (&id, section.get("id"))
        && !draft.trigger_ids.insert(id.clone())
    {
        node.fault(format!("there are two triggers `{id}`"), "give one of them another id");
    }
    id
}

/// The component that a trigger names, or that is written into it.
pub(super) fn read_component(
    base: &Path,
    kind: &'static str,
    number: usize,
    id: Option<String>,
    section: &Section<'_>,
    draft: &mut Draft,
) -> Option<String> {
    let component = section.require("component", "component = \"<id>\"")?;
    if component.is_string() {
        draft.triggered.extend(component.string());
        return component.string();
    }
    let inline = inline_id(kind, number, id);
    draft.triggered.insert(inline.clone());
    component::read(base, &inline, &component, draft);
    draft.inline.push((kind, number.to_string(), inline.clone()));
    Some(inline)
}

/// The id of a component that is written into the trigger of this kind and number, from 0.
pub(crate) fn inline_id(kind: &str, number: usize, id: Option<String>) -> String {
    let id = id.unwrap_or_else(|| format!("{kind}-trigger{}", number + 1));
    format!("{id}-component")
}

fn read_static(section: &Section<'_>, node: &Node<'_>, route: Option<Route>, draft: &mut Draft) {
    if let Some(component) = section.get("component") {
        component.fault("the trigger has a component and a static response", "keep one of the two");
    }
    if let Some(middleware) = section.get("dependencies").filter(|node| !node.is_empty()) {
        middleware.fault("the trigger has dependencies and a static response", "keep one of the two");
    }
    let response = static_response::read(node);
    match (route, response) {
        (Some(Route::Private), _) => node.fault("nobody reaches a static response without a path", "write a path"),
        (Some(Route::Path(pattern)), Some(response)) => {
            draft.static_routes.push((section_line(section), StaticRoute { pattern, response }));
        }
        _ => {}
    }
}

fn refuse(section: &Section<'_>) {
    section.refuse("components", "an HTTP trigger has one `component`");
}

fn section_line(section: &Section<'_>) -> usize {
    section.get("route").map_or_else(|| section.node.line(), |route| route.line())
}

fn read_route(node: &Node<'_>, base: &str) -> Option<Route> {
    if node.is_table() {
        return match node.section(&["private"])?.require("private", "private = true")?.boolean()? {
            true => Some(Route::Private),
            false => {
                node.fault(
                    "`route` is a table that does not say `private = true`",
                    "write a path, or `{ private = true }`",
                );
                None
            }
        };
    }
    let route = node.string()?;
    // The slash at the start goes without saying, as under Spin; the base alone has none at its end.
    let path = match route.strip_prefix('/').unwrap_or(&route) {
        "" if !base.is_empty() => base.to_owned(),
        below => format!("{base}/{below}"),
    };
    match Pattern::parse(&path) {
        Ok(_) => Some(Route::Path(path)),
        Err(problem) => {
            node.fault(format!("`{route}` is no route"), problem.to_string());
            None
        }
    }
}

fn read_executor(section: &Section<'_>) {
    let Some(executor) = section.get("executor").and_then(|node| node.section(&["type", "argv", "entrypoint"])) else {
        return;
    };
    let Some(node) = executor.require("type", "type = \"spin\"") else {
        return;
    };
    match node.string().as_deref() {
        Some("spin" | "http") | None => {}
        Some("wagi") => node.fault(
            "the executor `wagi` is not served yet",
            "take the executor out, and build a component that exports `wasi:http`",
        ),
        Some(other) => node.fault(format!("unknown executor `{other}`"), name::did_you_mean(other, ["spin", "http"])),
    }
}
