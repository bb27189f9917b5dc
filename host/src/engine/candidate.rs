//! WASI 0.3.0 as its last release candidate named it: Spin's SDKs of before the release say `wasi:http/handler@0.3.0-rc-2026-03-15`.
//!
//! The release changed no function and no type of it, and types have no names in the component model, so that such a component is one
//! of WASI 0.3.0 once its imports and exports are called so. Earlier candidates had other types and are refused.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::rename;

/// The packages that the candidate is made of.
const PACKAGES: [&str; 6] = ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:http", "wasi:random", "wasi:sockets"];
/// How the candidate ends the names of its interfaces.
const CANDIDATE: &str = "@0.3.0-rc-2026-03-15";

/// The component with the candidate's interfaces under the names of the release. One that has none of them stays as it is, and so
/// does what is no component, which is for the compiler to say.
pub(super) fn released(component: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Ok(names) = rename::names(&component) else { return component };
    let (imports, exports) = (imports(&names.imports), exports(&names.exports));
    if imports.is_empty() && exports.is_empty() {
        return component;
    }
    let other = |names: &BTreeMap<String, String>, name: &str| names.get(name).cloned();
    let renamed = rename::imports_and_exports(&component, &|name| other(&imports, name), &|name| other(&exports, name));
    renamed.map_or(component, Cow::Owned)
}

/// By the candidate's names, those of the release. A program whose libraries are of different times may import an interface under both:
/// one of them is then called by a later version, behind which the same is found.
fn imports(names: &[String]) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<String> = names.iter().cloned().collect();
    let mut renamed = BTreeMap::new();
    for (name, interface) in candidates(names) {
        let free = (0_usize..).map(|patch| format!("{interface}@0.3.{patch}")).find(|free| !taken.contains(free));
        let Some(free) = free else { continue };
        taken.insert(free.clone());
        renamed.insert(name.clone(), free);
    }
    renamed
}

/// The same of exports. What is exported under the release's name already is called by that.
fn exports(names: &[String]) -> BTreeMap<String, String> {
    let released = candidates(names).map(|(name, interface)| (name.clone(), format!("{interface}@0.3.0")));
    released.filter(|(_, released)| !names.contains(released)).collect()
}

/// Those names that are the candidate's, each with its interface.
fn candidates(names: &[String]) -> impl Iterator<Item = (&String, &str)> {
    names.iter().filter_map(|name| {
        let interface = name.strip_suffix(CANDIDATE)?;
        let package = interface.split('/').next().unwrap_or(interface);
        PACKAGES.contains(&package).then_some((name, interface))
    })
}

#[cfg(test)]
mod tests {
    use wac_graph::{CompositionGraph, EncodeOptions, types::Package};
    use wasmtime::{Config, Engine, component::Component};
    use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
    use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

    use super::*;
    use crate::service::contract::Surface;

    const INTERFACES: &str = "
        package wasi:clocks@0.3.0-rc-2026-03-15 {
            interface types { type duration = u64; }
            interface monotonic-clock { use types.{duration}; now: func() -> u64; wait-for: async func(how-long: duration); }
        }
        package wasi:clocks@0.3.0 {
            interface monotonic-clock { now: func() -> u64; }
        }
        package wasi:http@0.3.0-rc-2026-03-15 {
            interface types {
                resource request { constructor(); }
                resource response { constructor(); }
            }
            interface handler {
                use types.{request, response};
                handle: async func(request: request) -> result<response>;
            }
        }
        package wasi:http@0.3.0-rc-2026-01-06 {
            interface client { send: func(); }
        }
        package test:ticking@0.3.0-rc-2026-03-15 {
            interface clock { now: func() -> u64; }
        }
    ";

    /// A component with this world, which does nothing.
    fn made(world: &str) -> Vec<u8> {
        let mut resolve = Resolve::default();
        let wit = format!("package test:all;\nworld it {{ {world} }}\n{INTERFACES}");
        let package = resolve.push_str("component.wit", &wit).unwrap();
        let world = resolve.select_world(&[package], Some("it")).unwrap();
        let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
    }

    /// What a component imports and exports, which the engine finds to be sound.
    fn surface(component: &[u8]) -> (Vec<String>, Vec<String>) {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let surface = Surface::of(&engine, &Component::new(&engine, component).unwrap());
        (surface.imports.into_keys().collect(), surface.exports.into_keys().collect())
    }

    #[test]
    fn interfaces_of_the_candidate_are_called_as_in_the_release() {
        let component = made(
            "import wasi:clocks/monotonic-clock@0.3.0-rc-2026-03-15;
             export wasi:http/handler@0.3.0-rc-2026-03-15;
             export run: func();",
        );
        let (imports, exports) = surface(&released(Cow::Borrowed(&component)));
        assert_eq!(imports, ["wasi:clocks/monotonic-clock@0.3.0", "wasi:clocks/types@0.3.0", "wasi:http/types@0.3.0"]);
        assert_eq!(exports, ["run", "wasi:http/handler@0.3.0"]);
    }

    #[test]
    fn what_imports_an_interface_under_both_names_keeps_both() {
        let component = made(
            "import wasi:clocks/monotonic-clock@0.3.0-rc-2026-03-15;
             import wasi:clocks/monotonic-clock@0.3.0;",
        );
        let (imports, _) = surface(&released(Cow::Borrowed(&component)));
        let clocks = ["wasi:clocks/monotonic-clock@0.3.0", "wasi:clocks/monotonic-clock@0.3.1"];
        assert_eq!(imports, [&clocks[..], &["wasi:clocks/types@0.3.0"]].concat());
    }

    #[test]
    fn other_candidates_and_other_packages_keep_their_names_and_the_component_its_bytes() {
        let component = made(
            "import wasi:http/client@0.3.0-rc-2026-01-06;
             import test:ticking/clock@0.3.0-rc-2026-03-15;
             export wasi:clocks/monotonic-clock@0.3.0;",
        );
        assert!(matches!(released(Cow::Borrowed(&component)), Cow::Borrowed(same) if same == component));
        assert!(matches!(released(Cow::Borrowed(b"no component")), Cow::Borrowed(b"no component")));
    }

    #[test]
    fn components_inside_keep_the_names_by_which_they_are_given_what_they_import() {
        let inner = made(
            "import wasi:clocks/monotonic-clock@0.3.0-rc-2026-03-15;
             export wasi:http/handler@0.3.0-rc-2026-03-15;",
        );
        let mut graph = CompositionGraph::new();
        let package = Package::from_bytes("test:inner", None, inner, graph.types_mut()).unwrap();
        let package = graph.register_package(package).unwrap();
        let instance = graph.instantiate(package);
        let handler = "wasi:http/handler@0.3.0-rc-2026-03-15";
        let export = graph.alias_instance_export(instance, handler).unwrap();
        graph.export(export, handler).unwrap();
        let component = graph.encode(EncodeOptions { define_components: true, ..EncodeOptions::default() }).unwrap();
        let (imports, exports) = surface(&released(Cow::Borrowed(&component)));
        assert!(imports.iter().all(|name| name.ends_with("@0.3.0")), "{imports:?}");
        assert_eq!(exports, ["wasi:http/handler@0.3.0"]);
    }
}
