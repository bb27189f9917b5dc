//! Registries that let one in with a token, which another server gives for a password.

use std::fs;

use axum::{Router, http::StatusCode, routing::get};
use base64::{Engine, prelude::BASE64_STANDARD};
use plaza_tests::{docker_registry::LOGIN, workspace};

use crate::{
    DockerRegistry, Person,
    token_registry::{TokenRegistry, asks_for_token_of, serve},
};

const ANSWERS: &str = "tests/spin-apps/static-response/spin.toml";

#[test]
fn who_is_logged_in_gets_tokens_to_push_and_to_pull() {
    let (behind, ada, eve) = (DockerRegistry::start(), Person::new(), Person::new());
    let registry = TokenRegistry::before(&behind);
    let (name, password) = LOGIN;
    let wrong = ada.registry(&["login", "-k", "-u", name, "-p", "hunter2", &registry.address]);
    assert!(!wrong.refused(&["right password"]).text.contains("hunter2") && !ada.passwords().exists());
    ada.registry(&["login", "-k", "-u", name, "-p", password, &registry.address]).expect();
    assert!(registry.asked.all().iter().all(|asked| !asked.contains("scope=")), "{:?}", registry.asked.all());
    let reference = registry.reference("ada/answers:1");
    let digest = ada.push(&workspace().join(ANSWERS), &reference);
    assert!(ada.pull(&reference).expect().text.contains(&digest));
    let advice = format!("plaza registry login {}", registry.address);
    eve.pull(&reference).refused(&[&advice]);
    eve.registry(&["push", "--insecure", "-f", ANSWERS, &reference]).refused(&[&advice]);
}

#[test]
fn a_registry_that_leads_elsewhere_leads_nobody_there_with_a_token() {
    let (behind, person) = (DockerRegistry::start(), Person::new());
    person.push(&workspace().join(ANSWERS), &behind.reference("public/answers:1"));
    let registry = TokenRegistry::before(&behind);
    person.pull(&registry.reference("public/answers:1")).expect();
    let shown = registry.blobs.all();
    assert!(!shown.is_empty() && shown.iter().all(String::is_empty), "{shown:?}");
}

#[test]
fn a_password_that_is_no_longer_right_refuses_nothing_that_everybody_may_pull() {
    let (behind, person) = (DockerRegistry::start(), Person::new());
    person.push(&workspace().join(ANSWERS), &behind.reference("public/answers:1"));
    let registry = TokenRegistry::before(&behind);
    let auth = BASE64_STANDARD.encode("ada:of-last-year");
    fs::create_dir_all(person.passwords().parent().unwrap()).unwrap();
    fs::write(person.passwords(), format!(r#"{{ "auths": {{ "{}": {{ "auth": "{auth}" }} }} }}"#, registry.address))
        .unwrap();
    person.pull(&registry.reference("public/answers:1")).expect();
    person.pull(&registry.reference("ada/answers:1")).refused(&["right password"]);
}

#[test]
fn a_password_of_which_nobody_says_that_it_is_right_is_not_kept() {
    let person = Person::new();
    let login = |registry: &str| person.registry(&["login", "-k", "-u", "ada", "-p", "hunter2", registry]);
    let long = format!(r#"{{"token":"{}"}}"#, "x".repeat(1024 * 1024));
    for (status, text, told) in [
        (500, "\u{1b}[2Jbroken", "500 [2Jbroken"),
        (429, "slowly", "429 slowly"),
        (200, "hello", "no token that can be used"),
        (200, r#"{"token":"a\nb"}"#, "no token that can be used"),
        (200, &long, "at most"),
        (403, "", "right password"),
        // The registry itself does not take this one.
        (200, r#"{"token":"for-nothing"}"#, "right password"),
    ] {
        let (status, text) = (StatusCode::from_u16(status).unwrap(), text.to_owned());
        let server = serve(Router::new().route("/token", get(async move || (status, text))));
        let refused = login(&asks_for_token_of(&format!("http://{server}/token"))).refused(&[told]);
        assert!(!refused.text.contains(['\u{1b}']) && !refused.text.contains("hunter2"), "{}", refused.text);
    }
    for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR] {
        login(&serve(Router::new().fallback(async move || status))).refused(&[]);
    }
    assert!(!person.passwords().exists());
}

#[test]
fn a_password_is_sent_nowhere_over_plain_http_where_nobody_said_so() {
    let person = Person::new();
    let registry = asks_for_token_of("http://auth.example.com/token");
    person
        .registry(&["login", "-k", "-u", "ada", "-p", "hunter2", &registry])
        .refused(&["over plain HTTP", "auth.example.com"]);
    let refused = person.registry(&["login", "-k", "-u", "ada", "-p", "hunter2", "myregistry"]);
    refused.refused(&["`myregistry:443`"]);
    assert!(!person.passwords().exists());
}
