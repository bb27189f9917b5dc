//! Registries that ask for a password.

use std::{fs, os::unix::fs::PermissionsExt};

use plaza_tests::{docker_registry::LOGIN, workspace};

use crate::{DockerRegistry, Person};

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
