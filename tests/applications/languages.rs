//! Components of WASI 0.2 that Spin's SDKs for other languages have made.

use plaza_tests::Setup;

#[tokio::test]
async fn a_component_in_python_answers_and_what_its_sdk_imports_and_this_host_lacks_is_declined() {
    let host =
        Setup::of("tests/spin-apps/python/spin.toml").argument("--variable").argument("greeting=Good day").start();
    let client = host.client();
    let first = client.request("POST", "/any").body("four").await.expect(200);
    assert_eq!(first.text(), "Good day, POST of 4 bytes, visit 1");
    assert_eq!(client.get("/other").await.expect(200).text(), "Good day, GET of 0 bytes, visit 2");
    let said = client.get("/mysql").await.expect(200).text();
    assert!(said.contains("MySQL is not served by this host"), "{said}");
    let said = client.get("/redis").await.expect(200).text();
    assert!(said.contains("InvalidAddress"), "{said}");
    host.stderr().line_with("to its allowed_outbound_hosts");
}

#[tokio::test]
async fn a_component_in_typescript_answers() {
    let host = Setup::of("tests/spin-apps/typescript/spin.toml").start();
    let answer = host.client().request("POST", "/said/so").body("Grüße").await.expect(200);
    assert_eq!(answer.text(), "POST of 5 characters at /said/so");
    assert_eq!((answer.header("content-type"), answer.header("x-route")), ("text/plain", "/said"));
}
