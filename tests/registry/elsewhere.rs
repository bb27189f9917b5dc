//! Components that a manifest takes from elsewhere: by a URL and a digest, or out of a registry of packages.

use axum::{Router, routing::get};
use plaza_tests::{Setup, manifest::Manifest};
use tokio::net::TcpListener;

use crate::{
    DockerRegistry, component,
    spin_apps::{digest, push},
};

const PACKAGE: &str = "application/wasm";

fn manifest(source: &str, dependency: &str) -> Manifest {
    Manifest::of_text(&format!(
        r#"
        spin_manifest_version = 2
        application.name = "elsewhere"
        trigger.http = [{{ route = "/...", component = "asks" }}]
        [component.asks]
        source = {source}
        environment = {{ PLACE = "here" }}
        dependencies_inherit_configuration = true
        dependencies = {{ "test:knows@1.0.0" = {dependency} }}
        "#
    ))
}

/// A host that looks for nothing among this user's settings.
fn setup(manifest: &Manifest) -> Setup {
    let settings = manifest.path().with_file_name("settings");
    Setup::of(manifest.path()).environment("XDG_CONFIG_HOME", settings.to_str().expect("a path of UTF-8"))
}

async fn expect_served(manifest: &Manifest) {
    let setup = setup(manifest).argument("--insecure");
    let host = tokio::task::spawn_blocking(|| setup.start()).await.unwrap();
    assert_eq!(host.client().get("/part/environment").await.expect(200).text(), "PLACE=here");
}

/// Serves a file at `/<name>`, and returns the address.
async fn serve(name: &str, bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route(&format!("/{name}"), get(async move || bytes));
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}/{name}")
}

#[tokio::test]
async fn a_component_by_its_url_and_its_digest_is_fetched_once() {
    let asks = component("asks");
    let url = serve("asks.wasm", asks.clone()).await;
    let source = format!(r#"{{ url = "{url}", digest = "{}" }}"#, digest(&asks));
    let manifest = manifest(&source, r#"{ path = "target/wasm32-wasip2/release/knows.wasm" }"#);
    expect_served(&manifest).await;
    let digits = digest(&asks).replace("sha256:", "");
    let kept = manifest.path().with_file_name(format!(".plaza/fetched/{digits}.wasm"));
    assert_eq!(std::fs::read(&kept).unwrap(), asks);
    // What somebody has changed there is not used.
    std::fs::write(&kept, "something else").unwrap();
    expect_served(&manifest).await;
    assert_eq!(std::fs::read(&kept).unwrap(), asks);
}

#[tokio::test]
async fn a_file_with_another_digest_is_refused_and_not_kept() {
    let url = serve("asks.wasm", component("hello")).await;
    let source = format!(r#"{{ url = "{url}", digest = "{}" }}"#, digest(&component("asks")));
    let manifest = manifest(&source, r#"{ path = "target/wasm32-wasip2/release/knows.wasm" }"#);
    let setup = setup(&manifest);
    let ended = tokio::task::spawn_blocking(|| setup.refused()).await.unwrap();
    for part in [&*digest(&component("hello")), "change the manifest if that is meant"] {
        assert!(ended.code == Some(1) && ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let fetched = manifest.path().with_file_name(".plaza/fetched");
    assert_eq!(std::fs::read_dir(fetched).unwrap().count(), 0);
}

#[tokio::test]
async fn components_and_dependencies_come_out_of_a_registry_of_packages() {
    let registry = DockerRegistry::start();
    for name in ["asks", "knows"] {
        let layers: [(&str, &[u8]); 2] =
            [("application/vnd.wasm.config.v0+json", b"{\"os\":\"wasip2\"}"), (PACKAGE, &component(name))];
        push(&registry, &format!("test/{name}"), "1.0.0", &layers).await;
    }
    let of = |name: &str| {
        format!(r#"{{ registry = "{}", package = "test:{name}", version = "1.0.0" }}"#, registry.address())
    };
    let found = manifest(&of("asks"), &of("knows"));
    expect_served(&found).await;
    let missing = manifest(&of("nothing"), &of("knows"));
    let ended = setup(&missing).argument("--insecure").refused();
    assert!(ended.code == Some(1) && ended.stderr.contains("there is no"), "{}", ended.stderr);
    drop(registry);
    // What is there needs nobody.
    expect_served(&found).await;
}
