use wasmtime::Config;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::*;

const NAME: &str = "example:users/directory@1.0.0";

fn surface(wit: &str) -> Surface {
    surface_of(wit, "it")
}

/// The surface of a component that has this world of a WIT package, and does nothing.
pub(super) fn surface_of(wit: &str, world: &str) -> Surface {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let bytes = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).unwrap();
    Surface::of(&engine, &Component::new(&engine, bytes).unwrap())
}

fn consumer(functions: &str) -> Surface {
    surface(&format!(
        "package example:users@1.0.0; interface directory {{ {functions} }} world it {{ import directory; }}"
    ))
}

fn provider(functions: &str) -> Surface {
    surface(&format!(
        "package example:users@1.0.0; interface directory {{ {functions} }} world it {{ export directory; }}"
    ))
}

const USER: &str = "record user { id: u64, role: role, tags: list<string> } enum role { customer, admin }
    variant failure { unknown, suspended(string) }
    get-user: async func(id: u64) -> result<user, failure>;";

#[test]
fn equal_functions_fit_and_more_exports_do_no_harm() {
    let consumer = consumer(USER);
    assert_eq!(missing(&consumer, &provider(USER), NAME), []);
    assert_eq!(missing(&consumer, &provider(&format!("{USER} more: async func();")), NAME), []);
    assert_eq!(unlinkable(&consumer, NAME), []);
}

#[test]
fn a_type_is_printed_as_wit_writes_it() {
    let function = &consumer(USER).imports[NAME].functions["get-user"];
    assert_eq!(
        function.to_string(),
        "async func(id: u64) -> result<record { id: u64, role: enum { customer, admin }, tags: list<string> }, \
         variant { unknown, suspended(string) }>"
    );
}

#[test]
fn a_function_with_other_types_is_named_with_both() {
    let found = missing(&consumer("f: async func(id: u64);"), &provider("f: async func(id: string);"), NAME);
    let expected = "example:users/directory@1.0.0#f: expected async func(id: u64), found async func(id: string)";
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
}

#[test]
fn names_of_parameters_fields_and_cases_count() {
    for (one, other) in [
        ("f: async func(a: u8);", "f: async func(b: u8);"),
        ("record r { a: u8 } f: async func(r: r);", "record r { b: u8 } f: async func(r: r);"),
        ("enum e { a, b } f: async func(e: e);", "enum e { b, a } f: async func(e: e);"),
        ("f: async func();", "f: func();"),
        ("f: async func();", "f: async func() -> bool;"),
        ("f: async func() -> option<u8>;", "f: async func() -> list<u8>;"),
    ] {
        assert_eq!(missing(&consumer(one), &provider(other), NAME).len(), 1, "{one} {other}");
    }
}

#[test]
fn every_difference_is_found_in_one_go() {
    let needed = consumer("f: async func(); g: async func(a: u8); h: async func();");
    let found = missing(&needed, &provider("f: async func(); g: async func(a: u16);"), NAME);
    assert_eq!(found.iter().map(|one| one.function.as_deref()).collect::<Vec<_>>(), [Some("g"), Some("h")]);
}

#[test]
fn an_export_of_a_compatible_version_serves() {
    let needed = consumer("f: async func();");
    let newer = "package example:users@1.2.0; interface directory { f: async func(); } world it { export directory; }";
    let other = newer.replace("1.2.0", "2.0.0");
    assert_eq!(missing(&needed, &surface(newer), NAME), []);
    let found = missing(&needed, &surface(&other), NAME);
    assert_eq!(found[0].found, "an export of example:users/directory@2.0.0");
}

#[test]
fn what_belongs_to_one_store_cannot_cross() {
    for functions in [
        "resource r; f: async func() -> r;",
        "resource r; f: async func(r: borrow<r>);",
        "f: async func(s: stream<u8>);",
        "f: async func() -> option<list<future<u8>>>;",
        "f: func();",
    ] {
        assert!(!unlinkable(&consumer(functions), NAME).is_empty(), "{functions}");
    }
}
