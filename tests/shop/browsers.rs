//! What browsers are told: whose scripts may call the shop, what may be kept, and that no type is to be guessed.

use plaza_tests::Answer;
use serde_json::json;

use crate::{ORIGINS, other_shop, shop};

/// One path of each component.
const PATHS: [&str; 6] =
    ["/api/v1/users", "/api/v1/sessions", "/api/v1/products", "/api/v1/orders", "/api/v1/payments", "/health"];

/// Every header about sharing; none of them may ever say `*`.
fn sharing(answer: &Answer) -> Vec<String> {
    ["origin", "methods", "headers", "credentials"]
        .iter()
        .map(|name| answer.header(&format!("access-control-allow-{name}")).to_owned())
        .inspect(|value| assert!(!value.contains('*'), "{value}"))
        .collect()
}

#[tokio::test]
async fn scripts_of_the_listed_origins_may_call_the_shop() {
    let anyone = other_shop().anyone();
    for path in PATHS {
        for origin in ORIGINS {
            let preflight = anyone.request("OPTIONS", path).header("origin", origin);
            let preflight = preflight.header("access-control-request-method", "POST");
            let preflight = preflight.header("access-control-request-headers", "authorization, idempotency-key").await;
            let [allowed, methods, headers, credentials] = &sharing(&preflight.expect(204))[..] else {
                panic!("{path}")
            };
            assert_eq!((allowed.as_str(), credentials.as_str()), (origin, "true"), "{path}");
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
                assert!(methods.contains(method), "{path}: {methods}");
            }
            for header in ["authorization", "content-type", "idempotency-key", "if-match"] {
                assert!(headers.contains(header), "{path}: {headers}");
            }
            let answer = anyone.get(path).header("origin", origin).await;
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{path}: {}", answer.status);
            for header in ["location", "link", "etag", "retry-after", "idempotent-replayed", "x-request-id"] {
                assert!(answer.header("access-control-expose-headers").contains(header), "{path}: {header}");
            }
            assert!(answer.header("vary").to_lowercase().contains("origin"), "{path}");
        }
    }
}

#[tokio::test]
async fn scripts_of_no_other_origin_may() {
    let (first, anyone) = (ORIGINS[0], other_shop().anyone());
    let similar = [
        "https://evil.example".to_owned(),
        "http://localhost:3000".to_owned(),
        "null".to_owned(),
        first.replace("https", "http"),
        format!("{first}.evil.example"),
        format!("{first}:8443"),
        first.to_uppercase(),
    ];
    for path in PATHS {
        for origin in &similar {
            let preflight = anyone.request("OPTIONS", path).header("origin", origin);
            let preflight = preflight.header("access-control-request-method", "POST").await;
            let answer = anyone.get(path).header("origin", origin).await;
            for answer in [preflight, answer] {
                assert!(sharing(&answer).iter().all(String::is_empty), "{path} lets {origin} in");
                assert!(answer.header("vary").to_lowercase().contains("origin"), "{path}");
            }
        }
        assert!(sharing(&anyone.get(path).await).iter().all(String::is_empty), "{path} without an origin");
    }
}

#[tokio::test]
async fn without_a_list_the_seeds_own_client_is_on_it() {
    let answer = shop().anyone().get("/api/v1/products").header("origin", "http://localhost:3000").await;
    assert_eq!(answer.expect(200).header("access-control-allow-origin"), "http://localhost:3000");
}

#[tokio::test]
async fn no_type_is_guessed_and_no_private_answer_kept() {
    let customer = shop().customer().await;
    let (anyone, own) = (shop().anyone(), format!("/api/v1/users/{}", customer.id));
    for (client, path, kept) in [
        (&customer.client, own.as_str(), false),
        (&customer.client, "/api/v1/orders", false),
        (&customer.client, "/api/v1/payments", false),
        (&customer.client, "/api/v1/users", false),
        (&anyone, "/api/v1/orders", false),
        (&anyone, "/api/v1/nothing", false),
        (&anyone, "/health", false),
        (&anyone, "/health/ready", false),
        (&anyone, "/", true),
        (&anyone, "/docs", true),
        (&anyone, "/openapi.json", true),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control") == "no-store", !kept, "{path}: {}", answer.header("cache-control"));
    }
    let credentials = json!({"email": customer.email, "password": plaza_tests::shop::PASSWORD});
    let session = anyone.post("/api/v1/sessions", &credentials).await.expect(201);
    assert_eq!((session.header("cache-control"), session.header("x-content-type-options")), ("no-store", "nosniff"));
}

#[tokio::test]
async fn who_came_by_tls_is_told_to_come_by_tls_again_and_nobody_else_is() {
    // The one is behind proxies, the other is not and believes nobody.
    let (behind, alone) = (other_shop().anyone(), shop().anyone());
    for path in PATHS {
        for (clients, protocols, told) in [
            ("192.0.2.1", "https", true),
            ("192.0.2.1", "HTTPS", true),
            // From one proxy to the next: the first is the one that the browser spoke to.
            ("192.0.2.1, 127.0.0.1", "https, http", true),
            ("192.0.2.1, 127.0.0.1", "https,https", true),
            ("192.0.2.1, 127.0.0.1", "http, https", false),
            ("192.0.2.1", "http", false),
            ("192.0.2.1", "", false),
        ] {
            for (client, told) in [(&behind, told), (&alone, false)] {
                let request = client.get(path).header("x-forwarded-for", clients);
                let answer = request.header("x-forwarded-proto", protocols).await;
                let policy = answer.header("strict-transport-security");
                assert_eq!(policy.starts_with("max-age="), told, "{path}, {protocols:?}: {policy:?}");
            }
        }
        assert!(behind.get(path).await.header("strict-transport-security").is_empty(), "{path}");
    }
}
