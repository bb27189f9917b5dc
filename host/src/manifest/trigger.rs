//! `[[trigger.http]]` and its neighbours.

use std::path::Path;

use super::{
    Draft,
    app::{Route, RouteTrigger},
    component, name,
    section::{Node, Section},
};
use crate::router::Pattern;

/// Triggers that Spin or its plugins know.
pub(super) const KINDS: &[&str] = &["http", "redis", "command", "cron", "mqtt", "sqs", "kinesis"];
const HTTP: &[&str] = &["id", "component", "components", "dependencies", "route", "executor", "static_response"];

/// Reads every trigger.
pub(super) fn read(base: &Path, node: &Node<'_>, draft: &mut Draft) {
    for (kind, triggers) in node.entries() {
        match kind.as_str() {
            "http" => {
                for (number, trigger) in triggers.list().iter().enumerate() {
                    read_http(base, number, trigger, draft);
                }
            }
            known if KINDS.contains(&known) => triggers.fault(
                format!("`{}` is not served yet", triggers.name()),
                "serve the component by `[[trigger.http]]`, or let it subscribe to events in `[component.<id>.tool.plaza]`",
            ),
            unknown => triggers.fault(
                format!("unknown trigger `{unknown}`"),
                name::did_you_mean(unknown, ["http"]),
            ),
        }
    }
}

/// `[application.trigger.<kind>]`.
pub(super) fn read_globals(triggers: &Section<'_>) {
    if let Some(base) = triggers.get("http").and_then(|http| http.section(&["base"])?.get("base"))
        && base.string().is_some_and(|path| path != "/")
    {
        base.fault("`application.trigger.http.base` is not served yet", "write the base into each route");
    }
    for kind in KINDS.iter().filter(|kind| **kind != "http") {
        triggers.refuse(kind, "take it out; only HTTP triggers are served");
    }
}

fn read_http(base: &Path, number: usize, node: &Node<'_>, draft: &mut Draft) {
    let Some(section) = node.section(HTTP) else {
        return;
    };
    let id = section.string("id");
    refuse(&section);
    if section.get("executor").is_some() {
        read_executor(&section);
    }
    let route = section.require("route", "route = \"/...\"").and_then(|node| read_route(&node));
    if section.get("static_response").is_some() {
        return;
    }
    let Some(component) = section.require("component", "component = \"<id>\"") else {
        return;
    };
    let component_id = if component.is_string() {
        component.string()
    } else {
        let id = id.unwrap_or_else(|| format!("http-trigger{}", number + 1));
        let inline = format!("{id}-component");
        component::read(base, &inline, &component, draft);
        draft.inline.push((number.to_string(), inline.clone()));
        Some(inline)
    };
    if let (Some(component), Some(route)) = (component_id, route) {
        draft.routes.push((section_line(&section), RouteTrigger { component, route }));
    }
}

fn refuse(section: &Section<'_>) {
    section.refuse("static_response", "let a component answer this route");
    section.refuse("components", "an HTTP trigger has one `component`");
    section.refuse("dependencies", "write them under `[component.<id>.dependencies]`");
}

fn section_line(section: &Section<'_>) -> usize {
    section.get("route").map_or_else(|| section.node.line(), |route| route.line())
}

fn read_route(node: &Node<'_>) -> Option<Route> {
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
    match Pattern::parse(&route) {
        Ok(_) => Some(Route::Path(route)),
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
