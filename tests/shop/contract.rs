//! The OpenAPI document and the shop agree: what is documented is served, what is served is documented, and the examples
//! are what they are said to be.

use std::collections::BTreeSet;

use plaza_tests::{Answer, Client};
use serde_json::Value;

use crate::{schemas::validator, shop};

/// Methods that HTTP gives to every address that takes GET, or to every address at all.
const IMPLIED: [&str; 2] = ["HEAD", "OPTIONS"];

struct Operation {
    method: String,
    path: String,
    description: Value,
}

async fn document() -> Value {
    shop().anyone().get("/openapi.json").await.expect(200).json()
}

fn operations(document: &Value) -> Vec<Operation> {
    let paths = document["paths"].as_object().expect("paths");
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().expect("a path item").iter().map(move |(method, description)| Operation {
            method: method.to_uppercase(),
            path: path.clone(),
            description: description.clone(),
        })
    });
    operations.collect()
}

/// The path with something in the place of each parameter.
fn filled(path: &str) -> String {
    path.replace("{id}", "1").replace("{provider}", "sandbox").replace("{file}", "ORDER_CREATED.json")
}

async fn ask(client: &Client, operation: &Operation) -> Answer {
    client.request(&operation.method, &filled(&operation.path)).await
}

#[tokio::test]
async fn every_documented_operation_is_served_and_answers_with_a_documented_status() {
    let (document, anyone, admin) = (document().await, shop().anyone(), shop().admin().await);
    for operation in operations(&document) {
        let mut clients = vec![&anyone];
        // What changes something is left to others.
        if operation.method == "GET" {
            clients.push(&admin);
        }
        for client in clients {
            let answer = ask(client, &operation).await;
            let name = format!("{} {}", operation.method, operation.path);
            let documented = &operation.description["responses"][answer.status.to_string()];
            assert!(documented.is_object(), "{name} answers with {}, which is not documented", answer.status);
            assert!(!answer.text().contains("nothing at this address"), "{name} is documented but not served");
        }
    }
}

#[tokio::test]
async fn every_served_method_is_documented() {
    let document = document().await;
    for (path, item) in document["paths"].as_object().expect("paths") {
        let answer = shop().anyone().request("OPTIONS", &filled(path)).await.expect(204);
        let served: BTreeSet<String> =
            answer.header("allow").split(',').map(|method| method.trim().to_owned()).collect();
        let served: BTreeSet<&str> = served.iter().map(String::as_str).filter(|name| !IMPLIED.contains(name)).collect();
        let documented: Vec<String> =
            item.as_object().expect("a path item").keys().map(|name| name.to_uppercase()).collect();
        assert_eq!(served, documented.iter().map(String::as_str).collect(), "{path}");
    }
}

#[tokio::test]
async fn every_operation_is_described_in_full() {
    let document = document().await;
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let Operation { method, path, description } = &operation;
        let name = format!("{method} {path}");
        assert!(
            ids.insert(description["operationId"].as_str().expect("an id").to_owned()),
            "{name}: its id is another's"
        );
        for member in ["summary", "security", "tags"] {
            assert!(!description[member].is_null(), "{name} has no {member}");
        }
        for parameter in description["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter} is not described");
        }
        for (status, response) in description["responses"].as_object().expect("responses") {
            let response = resolved(&document, response);
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            if status.starts_with(['4', '5']) {
                let problem = &response["content"]["application/problem+json"];
                assert!(
                    problem["examples"].as_object().is_some_and(|examples| !examples.is_empty()),
                    "{name} {status}"
                );
            }
        }
        for link in description["responses"].as_object().expect("responses").values().flat_map(links) {
            let target = link["operationId"].as_str().expect("a target");
            let known = operations(&document).iter().any(|operation| operation.description["operationId"] == target);
            assert!(known, "{name} links to {target}, which is not there");
        }
    }
}

#[tokio::test]
async fn every_example_is_what_its_schema_says() {
    let document = document().await;
    let mut checked = 0;
    for operation in operations(&document) {
        let body = &operation.description["requestBody"];
        let responses = operation.description["responses"].as_object().expect("responses");
        for part in responses.values().map(|response| resolved(&document, response)).chain([body]) {
            for media_type in part["content"].as_object().into_iter().flat_map(|content| content.values()) {
                let validator = validator(&document, &media_type["schema"]);
                let several = media_type["examples"].as_object().into_iter().flat_map(|examples| examples.values());
                for example in several.map(|example| &example["value"]).chain(media_type.get("example")) {
                    let faults: Vec<String> = validator.iter_errors(example).map(|fault| fault.to_string()).collect();
                    assert!(faults.is_empty(), "{} {}: {example}: {faults:?}", operation.method, operation.path);
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 100, "only {checked} examples were found");
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("it leads somewhere"),
        None => value,
    }
}

fn links(response: &Value) -> Vec<Value> {
    response["links"].as_object().into_iter().flat_map(|links| links.values().cloned()).collect()
}
