//! `dependencies.middleware` of an HTTP trigger: the components that stand around the trigger's own, outermost first.

use std::path::Path;

use super::{
    Draft, Fault, Lines, Mention, Reading,
    app::{Composed, MIDDLEWARE, layer_name},
    dependency, download,
    section::{Node, Section},
};

/// The keys of a trigger's `dependencies`.
pub(super) const KINDS: &[&str] = &[MIDDLEWARE];

/// The keys of one that stands around.
pub(super) const KEYS: &[&str] =
    &["component", "path", "url", "digest", "version", "registry", "package", "inherit_configuration"];

/// What one HTTP trigger has around its component.
#[derive(Debug)]
pub(super) struct Layers {
    component: String,
    /// The trigger's number, from 0.
    trigger: usize,
    line: usize,
    /// Outermost first.
    layers: Vec<Composed>,
}

/// Reads what the trigger of this number has around its component.
pub(super) fn read(base: &Path, component: &str, trigger: usize, section: &Section<'_>, draft: &mut Draft) {
    let node = section.get("dependencies").and_then(|node| node.section(KINDS)?.get(MIDDLEWARE));
    let entries = node.as_ref().map(Node::list).unwrap_or_default();
    let mut layers = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        let Some(layer) = read_layer(base, entry) else { continue };
        if let Some(provider) = layer.component.clone() {
            let (consumer, key) = (component.to_owned(), layer_name(number));
            draft.mentions.push(Mention { consumer, key, provider, line: entry.line() });
        }
        layers.push(layer);
    }
    let line = node.as_ref().unwrap_or(&section.node).line();
    draft.layers.push(Layers { component: component.to_owned(), trigger, line, layers });
}

fn read_layer(base: &Path, node: &Node<'_>) -> Option<Composed> {
    let section = node.section(KEYS)?;
    dependency::read_part(base, &section, false, || match section.get("url") {
        Some(_) => download::read_url(&section),
        // It is there for no import that could say its package.
        None => {
            section.require("package", "package = \"namespace:name\"")?;
            download::read_dependency(&section, MIDDLEWARE)
        }
    })
}

/// Gives the components what stands around them, and lets that be found under them.
pub(super) fn place(reading: &mut Reading) {
    let Reading { app, lines, draft, .. } = reading;
    for Layers { component, trigger, layers, .. } in draft.layers.iter().filter(|one| !one.layers.is_empty()) {
        let Some(component) = app.components.get_mut(component).filter(|one| one.middleware.is_empty()) else {
            continue;
        };
        component.middleware.clone_from(layers);
        graft(lines, *trigger, &component.id);
    }
}

fn graft(lines: &mut Lines, trigger: usize, component: &str) {
    let trigger = trigger.to_string();
    lines.graft(&["trigger", "http", &trigger, "dependencies", MIDDLEWARE], &["component", component, MIDDLEWARE]);
}

/// Triggers of one component that have something else around it: there is one service for all of them.
pub(super) fn differing(reading: &Reading) -> Vec<Fault> {
    let all = &reading.draft.layers;
    let mut faults = Vec::new();
    for (place, one) in all.iter().enumerate() {
        let mut before = all.iter().take(place).filter(|other| other.component == one.component);
        let Some(first) = before.next().filter(|first| first.layers != one.layers) else { continue };
        let Layers { component, line, .. } = one;
        let message = format!("the triggers of `{component}` differ in their middleware");
        let remedy = format!(
            "write the same as in line {}, or name another component here that has the same `source`",
            first.line
        );
        faults.push(Fault::new(&reading.file, Some(*line), message, remedy));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Source, app::Inherit, read};

    const DIGITS: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    /// `web` on two routes, with this around it for each, beside `guard`, which has `own` settings.
    fn reading(first: &str, second: &str, own: &str) -> Reading {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spin.toml");
        let text = format!(
            r#"spin_manifest_version = 2
application.name = "example"
[[trigger.http]]
route = "/..."
component = "web"
{first}
[[trigger.http]]
route = {{ private = true }}
component = "web"
{second}
[component.web]
source = "web.wasm"
[component.guard]
source = "guard.wasm"
{own}
"#
        );
        std::fs::write(&file, text).unwrap();
        read(&Source::plain(file))
    }

    fn messages(reading: &Reading) -> Vec<String> {
        let told = |fault: &Fault| format!("{}: {}", fault.line.unwrap_or_default(), fault.message);
        reading.faults.iter().map(told).collect()
    }

    #[test]
    fn middleware_comes_from_wherever_a_dependency_does() {
        let line = format!(
            r#"dependencies.middleware = [{{ component = "guard" }}, {{ path = "signs.wasm", inherit_configuration = true }},
            {{ url = "https://example.com/a.wasm", digest = "sha256:{DIGITS}", inherit_configuration = ["variables"] }},
            {{ package = "some:middleware", version = "1.0", registry = "example.com" }}]"#
        );
        let mut reading = reading(&line, &line, "");
        assert_eq!(messages(&reading), [] as [&str; 0]);
        let web = &reading.app.components["web"];
        let base = reading.app.base();
        let files: Vec<_> = web.parts().map(|(_, part)| part.file.strip_prefix(base).unwrap().to_owned()).collect();
        let fetched =
            ["guard.wasm", "signs.wasm", &format!(".plaza/fetched/{DIGITS}.wasm")].map(std::path::PathBuf::from);
        assert_eq!((&files[..3], files.len()), (&fetched[..], 4));
        let inherit: Vec<_> = web.middleware.iter().map(|layer| layer.inherit.clone()).collect();
        let these = |keys: &[&str]| Inherit::These(keys.iter().map(|&key| key.to_owned()).collect());
        assert_eq!(inherit, [these(&[]), Inherit::All, these(&["variables"]), these(&[])]);
        assert_eq!(reading.app.downloads().len(), 2);
        assert_eq!(reading.leave_out_unused(), [] as [&str; 0], "it is used");
        assert_eq!(reading.app.components.keys().collect::<Vec<_>>(), ["web"], "and not served by itself");
    }

    #[test]
    fn all_triggers_of_a_component_have_the_same_middleware() {
        let guard = r#"dependencies.middleware = [{ component = "guard" }]"#;
        let differ = "the triggers of `web` differ in their middleware";
        assert_eq!(messages(&reading(guard, "", "")), [format!("7: {differ}")]);
        assert_eq!(messages(&reading("", guard, "")), [format!("10: {differ}")]);
        let inheriting = r#"dependencies.middleware = [{ component = "guard", inherit_configuration = true }]"#;
        assert_eq!(messages(&reading(guard, inheriting, "")), [format!("10: {differ}")]);
        assert_eq!(messages(&reading(guard, guard, "")), [] as [&str; 0]);
    }

    #[test]
    fn what_is_no_middleware_is_told_at_its_line() {
        for (entry, message) in [
            (r#"{ component = "gard" }"#, "`middleware.0` is to come from a component `gard` that does not exist"),
            (r#"{ component = "web" }"#, "`web` is to provide `middleware.0` to itself"),
            (r#"{ path = "a.wasm", export = "b" }"#, "unknown key `trigger.http.dependencies.middleware.export`"),
            (r#"{ version = "1.0" }"#, "`trigger.http.dependencies.middleware` lacks the key `package`"),
            (r#""guard""#, "`trigger.http.dependencies.middleware` is a text"),
        ] {
            let line = format!("dependencies.middleware = [{entry}]");
            let found = messages(&reading(&line, &line, ""));
            let expected = [6, 10].map(|line| format!("{line}: {message}"));
            assert_eq!(found, expected, "{entry}");
        }
    }

    #[test]
    fn what_a_component_has_of_its_own_would_be_lost_around_another() {
        let guard = r#"dependencies.middleware = [{ component = "guard" }]"#;
        let reading = reading(guard, guard, "key_value_stores = [\"default\"]");
        let message =
            "`guard` cannot be composed into `web`, for it would lose what it has of its own: key_value_stores";
        assert_eq!(messages(&reading), [format!("6: {message}")]);
        assert_eq!(reading.faults[0].remedy, "give those to `web` and let it inherit them");
    }

    #[test]
    fn a_missing_file_is_told_at_its_line() {
        let line = r#"dependencies.middleware = [{ path = "none.wasm" }]"#;
        let reading = reading(line, line, "tool.plaza.optional = true");
        let found: Vec<_> = reading.missing_files().into_iter().map(|fault| (fault.line, fault.message)).collect();
        assert!(found.contains(&(Some(6), "there is no `none.wasm`".to_owned())), "{found:?}");
    }
}
