//! Methods that an address does not take, and those that HTTP gives to every address.

use crate::shop;

/// The methods in an `Allow` header, sorted.
fn allowed(answer: &plaza_tests::Answer) -> Vec<String> {
    let mut methods: Vec<String> = answer.header("allow").split(',').map(|name| name.trim().to_owned()).collect();
    methods.sort();
    methods
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_405_with_those_that_it_takes() {
    let anyone = shop().anyone();
    for (path, methods) in [
        ("/", vec!["GET", "HEAD"]),
        ("/openapi.json", vec!["GET", "HEAD"]),
        ("/api/v1/users", vec!["GET", "HEAD", "POST"]),
        ("/api/v1/users/1", vec!["GET", "HEAD", "PATCH"]),
        ("/api/v1/products/1", vec!["DELETE", "GET", "HEAD", "PATCH"]),
        ("/api/v1/sessions", vec!["POST"]),
        ("/api/v1/payments/1/confirm", vec!["POST"]),
    ] {
        for method in ["TRACE", "PUT", "QUERY", "PROPFIND", "brew"] {
            let refused = anyone.request(method, path).await;
            assert_eq!(allowed(&refused), methods, "{method} {path}");
            refused.problem(405);
        }
    }
    let refused = anyone.request("HEAD", "/api/v1/sessions").await.expect(405);
    assert!(refused.bytes().is_empty());
}

#[tokio::test]
async fn an_address_says_which_methods_it_takes() {
    let anyone = shop().anyone();
    let answer = anyone.request("OPTIONS", "/api/v1/products/1").await.expect(204);
    assert_eq!(allowed(&answer), ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH"]);
    anyone.request("OPTIONS", "/api/v1/nothing").await.problem(404);
    let preflight = anyone.request("OPTIONS", "/api/v1/orders").header("origin", "http://localhost:3000");
    let answer = preflight.header("access-control-request-method", "POST").await.expect(204);
    assert!(answer.header("access-control-allow-methods").contains("POST"));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let product = shop().product("1.00", 1).await;
    let (anyone, path) = (shop().anyone(), format!("/api/v1/products/{product}"));
    let whole = anyone.get(&path).await.expect(200);
    let head = anyone.request("HEAD", &path).await.expect(200);
    assert!(head.bytes().is_empty());
    for header in ["content-type", "content-length", "etag"] {
        assert_eq!(head.header(header), whole.header(header), "{header}");
    }
    anyone.request("HEAD", "/api/v1/orders").await.expect(401);
}
