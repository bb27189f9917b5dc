//! What belongs to no service: the front page, health, the description of the interface, paths that nobody serves.

use crate::shop;

#[tokio::test]
async fn the_front_page_says_what_this_is_and_links_on() {
    let page = shop().anyone().get("/").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text().contains("/openapi.json"), "{}", page.text());
}

#[tokio::test]
async fn health_answers_ok() {
    let health = shop().anyone().get("/health").await.expect(200);
    assert_eq!(health.json()["status"], "ok");
    shop().anyone().get("/health/live").await.expect(200);
    let ready = async || (shop().anyone().get("/health/ready").await.status == 200).then_some(());
    plaza_tests::until("everybody is ready", ready).await;
}

#[tokio::test]
async fn the_openapi_document_names_every_endpoint_of_every_service() {
    let document = shop().anyone().get("/openapi.json").await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    for (path, method) in [
        ("/api/v1/users", "post"),
        ("/api/v1/users/{id}", "get"),
        ("/api/v1/sessions", "post"),
        ("/api/v1/products", "get"),
        ("/api/v1/products/{id}", "get"),
        ("/api/v1/orders", "post"),
        ("/api/v1/orders/{id}/cancel", "post"),
        ("/api/v1/payments", "get"),
        ("/api/v1/payments/{id}/confirm", "post"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path} is missing");
    }
}

#[tokio::test]
async fn a_path_that_nobody_serves_is_a_problem_404() {
    shop().anyone().get("/no/such/path").await.problem(404);
    shop().anyone().get("/api/v1/nothing").await.problem(404);
}

#[tokio::test]
async fn every_answer_carries_a_request_id() {
    let answer = shop().anyone().get("/health").await;
    assert!(!answer.header("x-request-id").is_empty());
}
