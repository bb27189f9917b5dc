use wasmtime::{Config, Engine, Store};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::*;
use crate::app::linker::host_interfaces;

/// Interfaces that are not served, shaped as Spin's are, in a world that imports them.
const UNSERVED: &str = "
    package test:web;
    world it {
        import spin:mqtt/mqtt@3.0.0;
        import spin:mysql/mysql@3.0.0;
        import fermyon:spin/llm@2.0.0;
        import wasi:otel/tracing@0.2.0-rc.2;
        import wasi:blobstore/container@0.2.0-draft-2024-09-01;
    }
    package spin:mqtt@3.0.0 {
        interface mqtt {
            variant error { invalid-address, too-many-connections, connection-failed(string), other(string) }
            resource connection {
                open: static async func(address: string) -> result<connection, error>;
                publish: async func(topic: string, payload: list<u8>) -> result<_, error>;
            }
        }
    }
    package spin:mysql@3.0.0 {
        interface mysql {
            variant error { connection-failed(string), other(string) }
            type row = list<string>;
            resource connection {
                open: static async func(address: string) -> result<connection, error>;
                query: async func(statement: string) -> result<tuple<stream<row>, future<result<_, error>>>, error>;
            }
        }
    }
    package fermyon:spin@2.0.0 {
        interface llm {
            variant error { model-not-supported, runtime-error(string), invalid-input(string) }
            infer: func(model: string) -> result<string, error>;
        }
    }
    package wasi:otel@0.2.0-rc.2 {
        interface tracing {
            flags trace-flags { sampled }
            record span-context {
                trace-id: string, trace-flags: trace-flags, is-remote: bool, trace-state: list<tuple<string, string>>,
            }
            on-start: func(context: span-context);
            outer-span-context: func() -> span-context;
        }
    }
    package wasi:io@0.2.6 {
        interface error { resource error; }
        interface streams { use error.{error}; resource output-stream { flush: func() -> result<_, stream-error>; }
            variant stream-error { last-operation-failed(error), closed } }
    }
    package wasi:blobstore@0.2.0-draft-2024-09-01 {
        interface types {
            use wasi:io/streams@0.2.6.{output-stream};
            type error = string;
            resource outgoing-value {
                new-outgoing-value: static func() -> outgoing-value;
                outgoing-value-write-body: func() -> result<output-stream>;
            }
        }
        interface container {
            use types.{error, outgoing-value};
            resource container {
                name: func() -> result<string, error>;
                write-data: func(name: string, data: borrow<outgoing-value>) -> result<_, error>;
                size: func() -> u64;
            }
        }
    }
";

fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    Engine::new(&config).unwrap()
}

fn made(engine: &Engine, wit: &str) -> Component {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("component.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("it")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    Component::new(engine, ComponentEncoder::default().module(&module).unwrap().encode().unwrap()).unwrap()
}

/// What a function of an import answers, by its name.
fn answer(component: &Component, import: &str, function: &str) -> Option<Val> {
    let kind = component.component_type();
    let item = kind.imports(component.engine()).find(|(name, _)| *name == import).unwrap().1;
    let ComponentItem::ComponentInstance(interface) = item.ty else { panic!("{import} is no interface") };
    let item = interface.exports(component.engine()).find(|(name, _)| *name == function).unwrap().1;
    let ComponentItem::ComponentFunc(kind) = item.ty else { panic!("{function} is no function") };
    let refusal = Refusal { cause: Cause::of(import).unwrap(), function: function.to_owned() };
    let result = kind.results().next().unwrap();
    refusal.value(&mut Store::new(component.engine(), ()), &result).unwrap()
}

#[test]
fn a_component_can_be_linked_whatever_it_imports_of_what_is_not_served() {
    let engine = engine();
    let component = made(&engine, UNSERVED);
    let mut linker = host_interfaces(&engine).unwrap();
    define(&mut linker, &component, |_| false).unwrap();
    linker.instantiate_pre(&component).unwrap();
}

#[test]
fn what_is_linked_is_left_to_its_provider() {
    let engine = engine();
    let component = made(&engine, UNSERVED);
    let mut linker = host_interfaces(&engine).unwrap();
    define(&mut linker, &component, |import| import == "fermyon:spin/llm@2.0.0").unwrap();
    let error = linker.instantiate_pre(&component).err().unwrap();
    assert!(format!("{error:#}").contains("fermyon:spin/llm@2.0.0"), "{error:#}");
}

#[test]
fn an_error_says_what_is_not_served() {
    let component = made(&engine(), UNSERVED);
    for (import, function, case, what) in [
        ("spin:mqtt/mqtt@3.0.0", "[static]connection.open", "connection-failed", "MQTT"),
        ("spin:mysql/mysql@3.0.0", "[method]connection.query", "connection-failed", "MySQL"),
        ("fermyon:spin/llm@2.0.0", "infer", "runtime-error", "a language model"),
    ] {
        let reason = Val::String(format!("{what} is not served by this host"));
        let error = Val::Variant(case.to_owned(), Some(Box::new(reason)));
        let expected = Val::Result(Err(Some(Box::new(error))));
        assert_eq!(answer(&component, import, function), Some(expected), "{import}");
    }
    let blobs = "wasi:blobstore/container@0.2.0-draft-2024-09-01";
    let reason = Val::String("a blob store is not served by this host".to_owned());
    let expected = Val::Result(Err(Some(Box::new(reason))));
    assert_eq!(answer(&component, blobs, "[method]container.name"), Some(expected));
    assert_eq!(answer(&component, blobs, "[method]container.size"), None, "a number says nothing");
}

#[test]
fn who_asks_for_the_span_outside_gets_the_context_of_none() {
    let component = made(&engine(), UNSERVED);
    let field = |name: &str, value: Val| (name.to_owned(), value);
    let expected = Val::Record(vec![
        field("trace-id", Val::String(String::new())),
        field("trace-flags", Val::Flags(Vec::new())),
        field("is-remote", Val::Bool(false)),
        field("trace-state", Val::List(Vec::new())),
    ]);
    let context = answer(&component, "wasi:otel/tracing@0.2.0-rc.2", "outer-span-context");
    assert_eq!(context, Some(expected));
}
