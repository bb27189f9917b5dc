//! What Plaza has pushed.

use plaza_tests::{Setup, Shop, shop::id_of, workspace};

use crate::{DockerRegistry, Person, pushed};

#[tokio::test]
async fn an_application_is_served_out_of_a_registry_as_out_of_its_folder() {
    let (_registry, _, reference) = pushed("tests/spin-apps/static-response/spin.toml", "somebody/answers:1.0");
    let host = Setup::in_registry(&reference).start();
    assert_eq!(host.client().get("/hello").await.expect(200).text(), "hello");
    assert_eq!(host.client().get("/notice/weather").await.expect(200).text(), "Grüße\n");
    assert_eq!(host.client().get("/old").await.expect(302).header("location"), "/hello");
}

#[tokio::test]
async fn dependencies_and_files_go_with_their_components() {
    let (_registry, _, reference) = pushed("tests/spin-apps/dependencies/spin.toml", "dependencies");
    let host = Setup::in_registry(&reference).start();
    for (path, expected) in [
        ("/nothing/own/files", "a note\n"),
        ("/nothing/part/files", ""),
        ("/all/part/files", "note.txt"),
        ("/all/part/environment", "PLACE=here"),
        ("/variables/part/variable?tone", "warm"),
        ("/others/part/environment", "PLACE=here"),
    ] {
        assert_eq!(host.client().get(path).await.expect(200).text(), expected, "{path}");
    }
    let status = host.operate(&["status"]).await.expect().text;
    assert!(!status.contains("knows"), "what is only a part of others is served by itself: {status}");
}

#[tokio::test]
async fn middleware_goes_with_its_components() {
    let (_registry, _, reference) = pushed("tests/spin-apps/middleware/spin.toml", "middleware");
    let host = Setup::in_registry(&reference).start();
    for (route, expected) in [("guarded", "guards, signs"), ("signed", "signs, guards")] {
        let headers = host.client().get(&format!("/{route}/headers")).await.expect(200).json();
        assert_eq!(headers["x-passed"], expected, "{route}");
    }
    let status = host.operate(&["status"]).await.expect().text;
    assert!(!status.contains("signs"), "what is only middleware is served by itself: {status}");
}

#[tokio::test]
async fn a_whole_shop_comes_with_its_databases_migrations_events_and_links() {
    let (_registry, _, reference) = pushed("spin.toml", "plaza/shop:1.0");
    let shop = Shop::on(Setup::in_registry(&reference).start());
    let (product, ada) = (shop.product("19.99", 10).await, shop.customer().await);
    let order = id_of(&ada.order(&[(product, 2)]).await);
    ada.pay(order).await;
}

#[tokio::test]
async fn what_is_pushed_twice_is_the_same_and_what_was_pulled_is_not_pulled_again() {
    let (registry, person, reference) = pushed("tests/spin-apps/static-response/spin.toml", "answers:1");
    let manifest = workspace().join("tests/spin-apps/static-response/spin.toml");
    let (first, second) =
        (person.push(&manifest, &reference), person.push(&manifest, &registry.reference("answers:2")));
    assert_eq!(first, second);
    let folder = person.pulled(&reference);
    assert_eq!(person.pulled(&registry.reference("answers:2")), folder);
    assert_eq!(person.applications(), 1);
    // Who names the digest needs nobody any more.
    let pinned = registry.reference(&format!("answers@{first}"));
    drop(registry);
    assert_eq!(person.pulled(&pinned), folder);
    person.pull(&reference).refused(&["does not answer"]);
}

#[tokio::test]
async fn many_files_are_packed_into_one_layer() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("assets")).unwrap();
    for number in 0..600 {
        let text = format!("{number} ").repeat(100);
        std::fs::write(folder.path().join(format!("assets/{number}.txt")), text).unwrap();
    }
    std::fs::write(folder.path().join("hello.wasm"), crate::component("hello")).unwrap();
    let manifest = folder.path().join("spin.toml");
    let text = r#"
        spin_manifest_version = 2
        application.name = "many"
        trigger.http = [{ route = "/...", component = "hello" }]
        component.hello = { source = "hello.wasm", files = ["assets/*"], variables = { greeting = "hello" } }
    "#;
    std::fs::write(&manifest, text).unwrap();
    let (registry, person) = (DockerRegistry::start(), Person::new());
    let reference = registry.reference("many:1");
    let manifest = manifest.to_str().unwrap();
    let pushed = person.registry(&["push", "--insecure", "-f", manifest, &reference]).expect().text;
    assert!(pushed.contains("many is at") && pushed.contains(": 3 layers, 2 of them new"), "{pushed}");
    let pulled = person.pulled(&reference);
    // The files, the component and what is said of them; what they were packed in is needed no more.
    assert_eq!(person.blobs(), 602);
    for number in [0, 1, 599] {
        let text = std::fs::read_to_string(pulled.join(format!("files/hello/assets/{number}.txt"))).unwrap();
        assert_eq!(text, format!("{number} ").repeat(100));
    }
    assert_eq!(std::fs::read_dir(pulled.join("files/hello/assets")).unwrap().count(), 600);
}
