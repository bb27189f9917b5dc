//! Registries that ask for a password.

use std::{env, fs, os::unix::fs::PermissionsExt, process::Command};

use plaza_tests::{docker_registry::LOGIN, workspace};

use crate::{DockerRegistry, Person, done};

const ANSWERS: &str = "tests/spin-apps/static-response/spin.toml";

#[test]
fn who_is_logged_in_may_push_and_pull_and_others_are_told_how() {
    let (registry, ada, eve) = (DockerRegistry::guarded(), Person::new(), Person::new());
    let (reference, address) = (registry.reference("ada/answers:1"), registry.address());
    let advice = format!("plaza registry login {address}");
    eve.registry(&["push", "--insecure", "-f", ANSWERS, &reference]).refused(&[&advice]);
    let (name, password) = LOGIN;
    let wrong =
        ada.registry(&["login", "-k", "-u", name, "-p", "wrong-password", &address]).refused(&["right password"]);
    assert!(!wrong.text.contains("wrong-password") && !ada.passwords().exists(), "{}", wrong.text);
    let done = ada.registry(&["login", "-k", "-u", name, "-p", password, &address]).expect();
    assert!(!done.text.contains(password), "{}", done.text);
    assert_eq!(fs::metadata(ada.passwords()).unwrap().permissions().mode() & 0o777, 0o600);
    ada.push(&workspace().join(ANSWERS), &reference);
    ada.pull(&reference).expect();
    eve.pull(&reference).refused(&[&advice]);
}

#[test]
fn a_program_to_which_docker_leaves_passwords_is_asked_for_them() {
    let (registry, person) = (DockerRegistry::guarded(), Person::new());
    let (reference, (name, password)) = (registry.reference("ada/answers:1"), LOGIN);
    fs::create_dir_all(person.settings()).unwrap();
    fs::write(person.passwords(), r#"{ "credsStore": "of-the-test" }"#).unwrap();
    let push = |path: &str| {
        let mut command = person.command(&["push", "--insecure", "-f", ANSWERS, &reference]);
        done(command.env("PATH", path))
    };
    let usual = env::var("PATH").unwrap();
    let advice = format!("plaza registry login {}", registry.address());
    push(&usual).refused(&[&advice, "docker-credential-of-the-test cannot be run"]);
    let program = person.settings().join("docker-credential-of-the-test");
    let answer = format!(r#"{{"ServerURL":"","Username":"{name}","Secret":"{password}"}}"#);
    let script = format!("test $(cat) = {} && echo '{answer}'", registry.address());
    // Were it written here, what another test starts might hold it open for a moment, and it could not be run.
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod +x "$2""#;
    assert!(Command::new("sh").args(["-c", write, "sh", &script]).arg(&program).status().unwrap().success());
    let with_program = format!("{}:{usual}", person.settings().display());
    push(&with_program).expect();
    // The one for this registry goes before the one for all.
    let address = registry.address();
    let text = format!(r#"{{ "credsStore": "nobody", "credHelpers": {{ "{address}": "of-the-test" }} }}"#);
    fs::write(person.passwords(), text).unwrap();
    push(&with_program).expect();
    fs::write(person.passwords(), r#"{ "credsStore": "of-the-test", "credHelpers": { "ghcr.io": "nobody" } }"#)
        .unwrap();
    push(&with_program).expect();
}
