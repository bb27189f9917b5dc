use std::collections::BTreeSet;

use tempfile::TempDir;
use wasmtime::{Config, Engine};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

use super::*;
use crate::{manifest::Source, service::contract::Surface};

/// What both worlds are made of.
const INTERFACES: &str = "
    package test:all;
    package test:library@1.2.0 {
        interface adding { add: func(one: u32, other: u32) -> u32; }
        interface keeping {
            resource keeper { constructor(); keep: func(text: string); }
        }
    }
    package spin:variables@3.0.0 {
        interface variables { get: async func(name: string) -> result<string, string>; }
    }
    package wasi:clocks@0.2.6 {
        interface monotonic-clock { now: func() -> u64; }
    }
    package wasi:http@0.3.0 {
        interface types { resource request; resource response; }
        interface handler {
            use types.{request, response};
            handle: async func(request: request) -> response;
        }
    }
    package test:linked@1.0.0 {
        interface elsewhere { call: async func(); }
    }
";

const WEB: &str = "
    import test:library/adding@1.2.0;
    import test:library/keeping@1.2.0;
    import spin:variables/variables@3.0.0;
    import test:linked/elsewhere@1.0.0;
    export run: func();
";

const LIBRARY: &str = "
    import spin:variables/variables@3.0.0;
    import wasi:clocks/monotonic-clock@0.2.6;
    export test:library/adding@1.2.0;
    export test:library/keeping@1.2.0;
";

/// A component with this world, which does nothing.
fn made(world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = INTERFACES.replace("package test:all;", &format!("package test:all;\nworld it {{ {world} }}"));
    let package = resolve.push_str("component.wit", &wit).unwrap();
    let world = resolve.select_world(&[package], Some("it")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

/// A folder with `web` and a library, and `web` as a manifest with these dependencies has it.
struct Case {
    folder: TempDir,
    component: Component,
}

impl Case {
    fn of(dependencies: &str) -> Self {
        Self::with(LIBRARY, dependencies)
    }

    fn with(library: &str, dependencies: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "spin_manifest_version = 2
            application.name = \"case\"
            trigger.http = [{{ route = \"/...\", component = \"web\" }}]
            component.other.source = \"other.wasm\"
            component.web.source = \"web.wasm\"
            component.web.tool.plaza.dependencies.\"test:linked@1.0.0\" = {{ component = \"other\" }}
            [component.web.dependencies]
            {dependencies}"
        );
        std::fs::write(folder.path().join("spin.toml"), text).unwrap();
        std::fs::write(folder.path().join("library.wasm"), made(library)).unwrap();
        let app = crate::manifest::load(&Source::plain(folder.path().join("spin.toml"))).unwrap();
        Self { component: app.components["web"].clone(), folder }
    }

    fn files(&self) -> Files {
        Files::read([&self.component])
    }

    fn composed(&self) -> Vec<u8> {
        compose(&self.component, &made(WEB), &self.files()).unwrap().bytes.into_owned()
    }

    fn errors(&self) -> Vec<String> {
        let errors = compose(&self.component, &made(WEB), &self.files()).unwrap_err();
        errors
            .iter()
            .map(|error| error.to_string().replace(&format!("{}/", self.folder.path().display()), ""))
            .collect()
    }
}

/// A component that handles requests, and one that stands around such.
const HANDLES: &str = "
    import spin:variables/variables@3.0.0;
    export run: func();
    export wasi:http/handler@0.3.0;
";
const AROUND: &str = "
    import spin:variables/variables@3.0.0;
    import wasi:clocks/monotonic-clock@0.2.6;
    import wasi:http/handler@0.3.0;
    export wasi:http/handler@0.3.0;
";

/// `web` with this around it, each with its world and how it inherits.
fn around(layers: &[(&str, &str)]) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let mut entries = Vec::new();
    for (number, (world, inherit)) in layers.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.wasm")), made(world)).unwrap();
        entries.push(format!("{{ path = \"{number}.wasm\", inherit_configuration = {inherit} }}"));
    }
    let text = format!(
        "spin_manifest_version = 2
        application.name = \"case\"
        component.web.source = \"web.wasm\"
        [[trigger.http]]
        route = \"/...\"
        component = \"web\"
        dependencies.middleware = [{}]",
        entries.join(", ")
    );
    std::fs::write(folder.path().join("spin.toml"), text).unwrap();
    let app = crate::manifest::load(&Source::plain(folder.path().join("spin.toml"))).unwrap();
    Case { component: app.components["web"].clone(), folder }
}

fn surface(bytes: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).unwrap();
    let surface = Surface::of(&engine, &wasmtime::component::Component::new(&engine, bytes).unwrap());
    (surface.imports.into_keys().collect(), surface.exports.into_keys().collect())
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const LINKED: &str = "test:linked/elsewhere@1.0.0";
const VARIABLES: &str = "spin:variables/variables@3.0.0";
const DENIED_VARIABLES: &str = "plaza-denied:spin-variables/variables@3.0.0";
const CLOCK: &str = "wasi:clocks/monotonic-clock@0.2.6";

#[test]
fn a_component_without_dependencies_stays_as_it_is() {
    let bytes = made(WEB);
    assert_eq!(*compose(&Case::of("").component, &bytes, &Files::default()).unwrap().bytes, bytes);
}

#[test]
fn the_whole_imports_what_its_parts_do_and_nobody_in_it_serves() {
    let case = Case::of("\"test:library\" = { path = \"library.wasm\", inherit_configuration = true }");
    assert_eq!(surface(&case.composed()), (names(&[LINKED, VARIABLES, CLOCK]), names(&["run"])));
}

#[test]
fn a_part_that_does_not_inherit_imports_it_under_another_name() {
    let case = Case::of("\"test:library\" = { path = \"library.wasm\" }");
    assert_eq!(surface(&case.composed()).0, names(&[LINKED, VARIABLES, DENIED_VARIABLES, CLOCK]));
    let case = Case::of("\"test:library\" = { path = \"library.wasm\", inherit_configuration = [\"variables\"] }");
    assert_eq!(surface(&case.composed()).0, names(&[LINKED, VARIABLES, CLOCK]));
}

#[test]
fn each_line_may_inherit_something_else() {
    let case = Case::of(
        "\"test:library/adding@1.2.0\" = { path = \"library.wasm\", inherit_configuration = true }
        \"test:library/keeping\" = { path = \"library.wasm\", export = \"test:library/keeping@1.2.0\" }",
    );
    assert_eq!(surface(&case.composed()).0, names(&[LINKED, VARIABLES, DENIED_VARIABLES, CLOCK]));
}

#[test]
fn a_file_that_several_lines_name_is_in_the_whole_once() {
    let once = Case::of("\"test:library\" = { path = \"library.wasm\" }").composed();
    let twice = Case::of(
        "\"test:library/adding\" = { path = \"library.wasm\" }
        \"test:library/keeping\" = { path = \"library.wasm\" }",
    )
    .composed();
    assert!(twice.len() < once.len() + made(LIBRARY).len() / 2, "{} and {}", once.len(), twice.len());
}

#[test]
fn equal_files_make_equal_bytes() {
    let case = Case::of("\"test:library\" = { path = \"library.wasm\" }");
    let first = case.composed();
    assert!((0..20).all(|_| case.composed() == first));
}

#[test]
fn one_can_tell_whether_it_would_become_something_else_now() {
    let case = Case::of("\"test:library\" = { path = \"library.wasm\" }");
    let read = case.files();
    let recipe = compose(&case.component, &made(WEB), &read).unwrap().recipe;
    assert!(recipe.is_as_in(&case.component) && recipe.renewed_files(&read).is_empty());
    let mut other = case.component.clone();
    other.composed.values_mut().for_each(|line| line.inherit = Inherit::All);
    assert!(!recipe.is_as_in(&other), "it inherits something else");
    other = case.component.clone();
    other.links.clear();
    assert!(!recipe.is_as_in(&other), "a link goes before a dependency");
    let file = case.folder.path().join("library.wasm");
    std::fs::write(&file, [made(LIBRARY), made("export run: func();")].concat()).unwrap();
    assert!(recipe.renewed_files(&read).is_empty(), "what was read stays as it was");
    assert_eq!(recipe.renewed_files(&case.files()), [file.as_path()]);
    std::fs::remove_file(&file).unwrap();
    assert!(recipe.renewed_files(&case.files()).is_empty(), "that a file is missing is told elsewhere");
    let kept = case.files().or(&read);
    assert_eq!(kept.hashes().collect::<Vec<_>>(), read.hashes().collect::<Vec<_>>());
    assert_eq!(compose(&case.component, &made(WEB), &kept).unwrap().recipe, recipe);
    let (alone, mut linked) = (Case::of("").component, Case::of("").component);
    linked.links.clear();
    assert!(
        compose(&alone, &made(WEB), &Files::default()).unwrap().recipe.is_as_in(&linked),
        "without dependencies links make no difference"
    );
}

#[test]
fn a_compatible_version_serves_as_well() {
    let newer = LIBRARY.replace("1.2.0", "1.3.0");
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::of("\"test:library@1.0.0\" = { path = \"library.wasm\", inherit_configuration = true }");
    let wit = INTERFACES.replace("library@1.2.0", "library@1.3.0");
    let mut resolve = Resolve::default();
    let wit = wit.replace("package test:all;", &format!("package test:all;\nworld it {{ {newer} }}"));
    let package = resolve.push_str("component.wit", &wit).unwrap();
    let world = resolve.select_world(&[package], Some("it")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let file = folder.path().join("newer.wasm");
    std::fs::write(&file, ComponentEncoder::default().module(&module).unwrap().encode().unwrap()).unwrap();
    case.component.composed.values_mut().for_each(|dependency| dependency.file.clone_from(&file));
    assert_eq!(surface(&case.composed()).0, names(&[LINKED, VARIABLES, CLOCK]));
}

#[test]
fn what_cannot_be_composed_is_told_for_each_line() {
    let case = Case::of(
        "\"test:library/adding\" = { path = \"absent.wasm\" }
        \"test:library/keeping\" = { path = \"library.wasm\", export = \"test:library/adding@1.2.0\" }
        \"test:nobody/asks\" = { path = \"library.wasm\" }",
    );
    let errors = case.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].starts_with("`absent.wasm` cannot be read"), "{errors:?}");
    assert!(errors[1].starts_with("what is composed in for test:library/keeping does not fit"), "{errors:?}");
    let case = Case::with("export run: func();", "\"test:library\" = { path = \"library.wasm\" }");
    let lacking =
        "what is to be composed in for test:library does not export test:library/adding@1.2.0; it exports run";
    assert_eq!(case.errors(), [lacking]);
    let case = Case::of(
        "\"test:library\" = { path = \"library.wasm\" }
        \"test:library/adding\" = { path = \"library.wasm\" }",
    );
    assert_eq!(case.errors(), ["test:library/adding@1.2.0 would come from test:library and from test:library/adding"]);
}

#[test]
fn a_dependency_of_which_nothing_is_imported_is_left_out() {
    let used = "\"test:library\" = { path = \"library.wasm\" }";
    let case = Case::of(&format!("{used}\n\"test:nobody/asks\" = {{ path = \"absent.wasm\" }}"));
    let (bytes, files) = (made(WEB), case.files());
    let whole = compose(&case.component, &bytes, &files).unwrap();
    assert_eq!(unused(&case.component, &bytes), ["test:nobody/asks"]);
    assert_eq!(*whole.bytes, Case::of(used).composed(), "as if the line were not there");
    let other = made("export run: func();");
    let whole = compose(&case.component, &other, &files).unwrap();
    assert_eq!(*whole.bytes, other);
    assert_eq!(unused(&case.component, &other), ["test:library", "test:nobody/asks"]);
}

#[test]
fn what_a_file_exports_can_be_asked_whoever_imports_it() {
    let case = Case::of("\"test:library\" = { path = \"library.wasm\" }");
    let exported = exports("test:library", &case.component.composed["test:library"], &case.files()).unwrap();
    assert_eq!(exported, ["test:library/adding@1.2.0", "test:library/keeping@1.2.0"]);
}

#[test]
fn a_part_that_is_refused_takes_no_other_with_it() {
    let library = format!("{LIBRARY} import test:linked/elsewhere@1.0.0;");
    let case = Case::with(
        &library,
        "\"test:library/adding\" = { path = \"library.wasm\" }
        \"test:library/keeping\" = { path = \"other.wasm\" }",
    );
    std::fs::write(case.folder.path().join("other.wasm"), made(LIBRARY)).unwrap();
    let errors = case.errors();
    assert!(errors.len() == 1 && errors[0].contains("to which its component is linked"), "{errors:?}");
}

#[test]
fn a_link_goes_before_a_dependency_and_is_inherited_with_everything_only() {
    let library = format!("{LIBRARY} import test:linked/elsewhere@1.0.0;");
    let line = |more: &str| format!("\"test:library\" = {{ path = \"library.wasm\"{more} }}");
    let all = Case::with(&library, &line(", inherit_configuration = true"));
    assert_eq!(surface(&all.composed()).0, names(&[LINKED, VARIABLES, CLOCK]));
    let some = Case::with(&library, &line(", inherit_configuration = [\"variables\"]"));
    assert!(some.errors()[0].contains("to which its component is linked"), "{:?}", some.errors());
}

#[test]
fn only_the_names_of_imports_change() {
    let before = made(LIBRARY);
    let same = rename::imports(&before, &|_| None).unwrap();
    assert_eq!(surface(&same), surface(&before));
    let other = rename::imports(&before, &|name| (name == VARIABLES).then(|| DENIED_VARIABLES.to_owned())).unwrap();
    assert_eq!(surface(&other), (names(&[DENIED_VARIABLES, CLOCK]), surface(&before).1));
    assert_eq!(other.len(), before.len() + DENIED_VARIABLES.len() - VARIABLES.len());
    assert!(rename::imports(b"no component", &|_| None).is_err());
}

const HANDLER: &str = "wasi:http/handler@0.3.0";
const TYPES: &str = "wasi:http/types@0.3.0";

#[test]
fn middleware_handles_requests_in_place_of_its_component_and_hands_them_on_within() {
    let case = around(&[(AROUND, "true"), (AROUND, "true")]);
    let bytes = made(HANDLES);
    let whole = compose(&case.component, &bytes, &case.files()).unwrap();
    assert_eq!(surface(&whole.bytes), (names(&[TYPES, VARIABLES, CLOCK]), names(&["run", HANDLER])));
    assert_eq!(whole.recipe.files().count(), 2);
    let alone = around(&[]);
    assert_eq!(*compose(&alone.component, &bytes, &alone.files()).unwrap().bytes, bytes);
}

#[test]
fn middleware_inherits_what_its_entry_says() {
    let imports = |inherit: &str| {
        let case = around(&[(AROUND, inherit)]);
        surface(&compose(&case.component, &made(HANDLES), &case.files()).unwrap().bytes).0
    };
    assert_eq!(imports("false"), names(&[TYPES, VARIABLES, DENIED_VARIABLES, CLOCK]));
    assert_eq!(imports("[\"variables\"]"), names(&[TYPES, VARIABLES, CLOCK]));
}

#[test]
fn middleware_stands_around_a_component_with_its_dependencies() {
    let mut case = around(&[(AROUND, "true")]);
    let library = Case::of("\"test:library\" = { path = \"library.wasm\", inherit_configuration = true }");
    case.component.composed = library.component.composed.clone();
    let bytes = made(&format!("{WEB} export {HANDLER};"));
    let whole = compose(&case.component, &bytes, &case.files()).unwrap();
    let expected = (names(&[LINKED, TYPES, VARIABLES, CLOCK]), names(&["run", HANDLER]));
    assert_eq!((surface(&whole.bytes), whole.recipe.files().count()), (expected, 2));
}

#[test]
fn what_hands_nothing_on_is_no_middleware_and_what_handles_nothing_has_none() {
    let errors = |case: &Case, web: &str| -> Vec<String> {
        let errors = compose(&case.component, &made(web), &case.files()).unwrap_err();
        errors.iter().map(ToString::to_string).collect()
    };
    let case = around(&[(AROUND, "true"), (HANDLES, "true")]);
    let none = "what is to stand around it as middleware.1 does not both import and export wasi:http/handler@0.3";
    assert_eq!(errors(&case, HANDLES), [none]);
    let case = around(&[(AROUND, "true")]);
    let nothing =
        "it has middleware around it and does not export wasi:http/handler@0.3, to which that hands requests on";
    assert_eq!(errors(&case, "export run: func();"), [nothing]);
    std::fs::remove_file(case.folder.path().join("0.wasm")).unwrap();
    assert!(errors(&case, HANDLES)[0].contains("0.wasm` cannot be read"), "{:?}", errors(&case, HANDLES));
}

#[test]
fn other_middleware_or_another_order_makes_something_else() {
    let case = around(&[(AROUND, "true"), (AROUND, "false")]);
    let files = case.files();
    let recipe = compose(&case.component, &made(HANDLES), &files).unwrap().recipe;
    assert!(recipe.is_as_in(&case.component) && recipe.renewed_files(&files).is_empty());
    let mut other = case.component.clone();
    other.middleware.reverse();
    assert!(!recipe.is_as_in(&other), "another order");
    other.middleware.clear();
    assert!(!recipe.is_as_in(&other), "none");
    let file = case.folder.path().join("1.wasm");
    std::fs::write(&file, made(&AROUND.replace("import wasi:clocks/monotonic-clock@0.2.6;", ""))).unwrap();
    assert_eq!(recipe.renewed_files(&case.files()), [file.as_path()]);
}
