//! The documents and the page that shows them: served from here, and from nowhere else.

use serde_json::Value;

use crate::shop;

/// What the page names in its `src` and `href`.
fn references(page: &str) -> Vec<String> {
    let parts = page.split(['"', '\'']).zip(page.split(['"', '\'']).skip(1));
    let named = parts.filter(|(before, _)| before.ends_with("src=") || before.ends_with("href="));
    named.map(|(_, reference)| reference.to_owned()).collect()
}

#[tokio::test]
async fn the_page_loads_nothing_from_another_host_and_all_that_it_names_is_served() {
    let page = shop().anyone().get("/docs").await.expect(200);
    let policy = page.header("content-security-policy");
    for directive in ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let references = references(&page.text());
    assert!(references.len() >= 5, "{references:?}");
    for reference in references.iter().filter(|reference| !reference.starts_with("data:")) {
        assert!(reference.starts_with('/') && !reference.starts_with("//"), "{reference} leads elsewhere");
        let kind = match reference.split('?').next().unwrap_or_default().rsplit_once('.').map(|(_, ending)| ending) {
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "application/json",
        };
        let part = shop().anyone().get(reference).await.expect(200);
        assert!(part.header("content-type").starts_with(kind), "{reference}: {}", part.header("content-type"));
        assert_eq!(part.header("x-content-type-options"), "nosniff");
        assert!(!part.bytes().is_empty());
    }
    let start = shop().anyone().get("/docs/start.js").await.expect(200).text();
    assert!(start.contains("/openapi.json") && !start.contains("://"), "{start}");
    let script = shop().anyone().get("/docs/swagger-ui-bundle.js").await.expect(200);
    assert!(script.text().contains("SwaggerUIBundle"));
}

#[tokio::test]
async fn a_document_comes_compressed_to_who_reads_that_and_not_at_all_to_who_has_it() {
    let anyone = shop().anyone();
    for path in ["/openapi.json", "/asyncapi.json", "/docs", "/docs/swagger-ui.css", "/schemas/Order.json"] {
        let plain = anyone.get(path).await.expect(200);
        assert_eq!(plain.header("content-encoding"), "");
        let compressed = anyone.get(path).header("accept-encoding", "gzip").await.expect(200);
        assert_eq!(compressed.header("content-encoding"), "gzip");
        assert!(compressed.bytes().starts_with(&[0x1f, 0x8b]) && compressed.bytes().len() < plain.bytes().len());
        assert!(plain.header("vary").to_lowercase().contains("accept-encoding"), "{}", plain.header("vary"));
        let tag = plain.header("etag");
        assert!(tag.starts_with('"'), "{tag:?}");
        let known = anyone.get(path).header("if-none-match", tag).await.expect(304);
        assert!(known.bytes().is_empty());
        anyone.get(path).header("if-none-match", "\"another\"").await.expect(200);
    }
}

#[tokio::test]
async fn every_schema_that_is_listed_is_served() {
    let anyone = shop().anyone();
    let names: Vec<String> = serde_json::from_value(anyone.get("/schemas").await.expect(200).json()).unwrap();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let schema = anyone.get(&format!("/schemas/{name}")).await.expect(200);
        assert!(schema.header("content-type").starts_with("application/schema+json"));
        let schema = schema.json();
        assert_eq!(schema["$id"], format!("/schemas/{name}"));
        crate::schemas::sound(&schema);
    }
    anyone.get("/schemas/nothing.json").await.problem(404);
    anyone.get("/docs/nothing.js").await.problem(404);
}

#[tokio::test]
async fn the_asyncapi_document_leads_from_topics_to_payloads() {
    let document = shop().anyone().get("/asyncapi.json").await.expect(200).json();
    assert_eq!(document["asyncapi"], "3.0.0");
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    let topics: Vec<&Value> =
        document["channels"].as_object().unwrap().values().map(|channel| &channel["address"]).collect();
    assert_eq!(topics, ["order-events", "payment-events", "product-events"]);
}
