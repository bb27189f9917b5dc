//! What is well written and still makes no sense.

mod channels;

use std::collections::BTreeMap;

use super::{
    Fault, Reading,
    app::{Component, MIDDLEWARE, Route, StaticResponse, part_place},
    grant::{AllowedHosts, Problem},
    middleware, name,
    template::Template,
};
use crate::router::Pattern;

/// Every such fault of an application.
pub(super) fn faults(reading: &Reading) -> Vec<Fault> {
    let mut faults = Vec::new();
    route_clashes(reading, &mut faults);
    unknown_components(reading, &mut faults);
    shared_databases(reading, &mut faults);
    undeclared_generated(reading, &mut faults);
    channels::faults(reading, &mut faults);
    faults.extend(middleware::differing(reading));
    for component in reading.app.components.values() {
        undeclared_variables(reading, component, &mut faults);
        bad_grants(reading, component, &mut faults);
        ungranted_database(reading, component, &mut faults);
        lost_settings(reading, component, &mut faults);
    }
    faults
}

fn route_clashes(reading: &Reading, faults: &mut Vec<Fault>) {
    let mut seen: BTreeMap<String, (usize, usize, &str, &str)> = BTreeMap::new();
    for (place, (line, route, owner)) in paths(reading).into_iter().enumerate() {
        let Ok(pattern) = Pattern::parse(route) else {
            continue;
        };
        let (earlier_place, earlier_line, earlier, first) =
            *seen.entry(pattern.shape()).or_insert((place, line, route, owner));
        if earlier_place != place {
            let message = format!(
                "the route `{route}` of `{owner}` clashes with `{earlier}` of `{first}` in line {earlier_line}"
            );
            let remedy = "change one of the two routes, or take it out";
            faults.push(Fault::new(&reading.file, Some(line), message, remedy));
        }
    }
}

/// Line, pattern and owner of every path, in the order of their lines.
fn paths(reading: &Reading) -> Vec<(usize, &str, &str)> {
    let of_components = reading.draft.routes.iter().filter_map(|(line, trigger)| match &trigger.route {
        Route::Path(route) => Some((*line, route.as_str(), trigger.component.as_str())),
        Route::Private => None,
    });
    let of_host = reading.draft.static_routes.iter();
    let of_host = of_host.map(|(line, route)| (*line, route.pattern.as_str(), StaticResponse::NAME));
    let mut paths: Vec<_> = of_components.chain(of_host).collect();
    paths.sort_by_key(|(line, ..)| *line);
    paths
}

fn unknown_components(reading: &Reading, faults: &mut Vec<Fault>) {
    let known = || reading.app.components.keys().map(String::as_str);
    for (line, component) in triggered(reading) {
        if !reading.app.components.contains_key(component) {
            let message = format!("the trigger names a component `{component}` that does not exist");
            faults.push(Fault::new(&reading.file, Some(line), message, name::did_you_mean(component, known())));
        }
    }
    for mention in &reading.draft.mentions {
        if mention.consumer == mention.provider {
            let message = format!("`{}` is to provide `{}` to itself", mention.consumer, mention.key);
            faults.push(Fault::new(
                &reading.file,
                Some(mention.line),
                message,
                "name another component, or call the code directly",
            ));
        } else if !reading.app.components.contains_key(&mention.provider) {
            let message =
                format!("`{}` is to come from a component `{}` that does not exist", mention.key, mention.provider);
            faults.push(Fault::new(
                &reading.file,
                Some(mention.line),
                message,
                name::did_you_mean(&mention.provider, known()),
            ));
        }
    }
}

/// Line and component of every trigger that has one.
fn triggered(reading: &Reading) -> impl Iterator<Item = (usize, &str)> {
    let routes = reading.draft.routes.iter().map(|(line, trigger)| (*line, trigger.component.as_str()));
    routes.chain(reading.draft.channels.iter().map(|(line, trigger)| (*line, trigger.component.as_str())))
}

fn shared_databases(reading: &Reading, faults: &mut Vec<Fault>) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for component in reading.app.components.values() {
        let Some(database) = component.plaza.database.as_deref() else {
            continue;
        };
        let owner = *owners.entry(database).or_insert(&component.id);
        if owner != component.id {
            let message = format!("`{}` and `{owner}` have one database `{database}`", component.id);
            let remedy = "give each its own name: what one component stores, no other may touch";
            faults.push(reading.fault(&component.id, &["tool", "plaza", "database"], message, remedy));
        }
    }
}

fn undeclared_generated(reading: &Reading, faults: &mut Vec<Fault>) {
    for name in reading.app.generate.keys().filter(|name| !reading.app.variables.contains_key(*name)) {
        let line = reading.lines.of(&["application", "tool", "plaza", "generate", name]);
        let message = format!("the variable `{name}` is to be generated and is not declared");
        let remedy = format!("add `{name} = {{ required = true, secret = true }}` under `[variables]`");
        faults.push(Fault::new(&reading.file, line, message, remedy));
    }
}

fn undeclared_variables(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    let hosts = component.allowed_outbound_hosts.iter().map(|template| (vec!["allowed_outbound_hosts"], template));
    let values = component.variables.iter().map(|(name, template)| (vec!["variables", name.as_str()], template));
    let named = hosts.chain(values);
    let named = named.flat_map(|(key, template)| template.variables().map(move |variable| (key.clone(), variable)));
    let required = component.plaza.requires.iter().map(|name| (vec!["tool", "plaza", "requires"], name.as_str()));
    for (key, variable) in named.chain(required).filter(|(_, name)| !reading.app.variables.contains_key(*name)) {
        let message = format!(
            "`component.{}.{}` names the variable `{variable}`, which is not declared",
            component.id,
            key.join(".")
        );
        let close = name::nearest(variable, reading.app.variables.keys().map(String::as_str));
        let remedy = match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("add `{variable} = {{ required = true }}` under `[variables]`"),
        };
        faults.push(reading.fault(&component.id, &key, message, remedy));
    }
}

fn bad_grants(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    for (index, template) in component.allowed_outbound_hosts.iter().enumerate() {
        if let Some(problem) = problem(template) {
            let message = format!("`{template}` is no address to grant");
            let key = ["allowed_outbound_hosts", &index.to_string()];
            faults.push(reading.fault(&component.id, &key, message, problem.to_string()));
        }
    }
}

/// What the first variable of a grant may hold, and what the others may: part of a name or a port, the higher end of ports, a
/// block of addresses and its bits.
const FILLINGS: [(&str, &str); 4] = [("1", "2"), ("65535", "65535"), ("10.0.0.0", "8"), ("::", "8")];

/// What is wrong with a grant, whatever its variables hold. That is not known yet; with harmless values in their place the rest
/// can be judged, unless there is one in the scheme.
fn problem(template: &Template) -> Option<Problem> {
    let text = template.to_string();
    if text.starts_with("{{") || text.split_once("://").is_some_and(|(scheme, _)| scheme.contains("{{")) {
        return None;
    }
    let first = template.variables().next();
    let mut found = None;
    for (of_first, of_others) in FILLINGS {
        let entry = template.fill(|name| Some(if first == Some(name) { of_first } else { of_others })).ok()?;
        match AllowedHosts::parse([entry]) {
            Ok(_) => return None,
            Err(error) => _ = found.get_or_insert(error.problem),
        }
    }
    found
}

/// A component that has a database and may not call it would only find out when it runs.
fn ungranted_database(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    let Some(database) = component.plaza.database.as_deref() else {
        return;
    };
    let host = format!("{database}_host");
    let grants = |template: &Template| match template.as_plain() {
        Some(entry) => {
            AllowedHosts::parse([entry]).is_ok_and(|hosts| hosts.allows("postgres", "anywhere.example", 5432))
        }
        None => template.variables().any(|variable| variable == host),
    };
    // An address that is written out may well be the database's, which is known only when the server is.
    let maybe = |template: &Template| {
        template.as_plain().is_some_and(|entry| entry.starts_with("postgres://") || entry.starts_with("*://"))
    };
    if !component.allowed_outbound_hosts.iter().any(|template| grants(template) || maybe(template)) {
        let message = format!("`{}` has the database `{database}` and is not granted its host", component.id);
        let remedy = format!("add \"postgres://{{{{ {host} }}}}\" to `allowed_outbound_hosts`");
        faults.push(reading.fault(&component.id, &["tool", "plaza", "database"], message, remedy));
    }
}

/// What a component has of its own is lost where it is composed into another: there it has what the other has, or nothing.
fn lost_settings(reading: &Reading, component: &Component, faults: &mut Vec<Fault>) {
    for (key, dependency) in component.parts() {
        let Some(part) = dependency.component.as_ref().and_then(|id| reading.app.components.get(id)) else { continue };
        let own: Vec<&str> = own_settings(part).into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
        if part.id != component.id && !own.is_empty() {
            let (id, part) = (&component.id, &part.id);
            let message = format!(
                "`{part}` cannot be composed into `{id}`, for it would lose what it has of its own: {}",
                own.join(", ")
            );
            let place @ [table, _] = part_place(&key);
            let link = format!(
                "link it instead, by \"{key}\" = {{ component = \"{part}\" }} under `[component.{id}.tool.plaza.dependencies]`, or "
            );
            // Nobody can be linked around another.
            let link = if table == MIDDLEWARE { String::new() } else { link };
            let remedy = format!("{link}give those to `{id}` and let it inherit them");
            faults.push(reading.fault(id, &place, message, remedy));
        }
    }
}

fn own_settings(component: &Component) -> [(&'static str, bool); 8] {
    [
        ("variables", !component.variables.is_empty()),
        ("environment", !component.environment.is_empty()),
        ("files", !component.files.is_empty()),
        ("allowed_outbound_hosts", !component.allowed_outbound_hosts.is_empty()),
        ("key_value_stores", !component.key_value_stores.is_empty()),
        ("sqlite_databases", !component.sqlite_databases.is_empty()),
        ("dependencies", !component.composed.is_empty() || !component.links.is_empty()),
        ("tool.plaza.database", component.plaza.database.is_some()),
    ]
}
