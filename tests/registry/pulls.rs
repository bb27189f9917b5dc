//! Pulls that are broken off, or meet others, and what is kept of them.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
};

use plaza_tests::{Setup, workspace};

use crate::{
    Person, pushed,
    spin_apps::{CONFIGURATION, DATA, LOCKED, WASM, digest, locked},
    stand_in::{Sends, StandIn},
    word_after,
};

/// Puts an application that shows this note under a tag; returns its digest.
fn put(registry: &StandIn, tag: &str, note: &str) -> String {
    let locked = locked(serde_json::json!({ "digest": digest(note.as_bytes()) }));
    let layers: [(&str, &[u8]); 5] = [
        (CONFIGURATION, b"{}"),
        (WASM, &crate::component("asks")),
        (WASM, &crate::component("knows")),
        (DATA, note.as_bytes()),
        (LOCKED, &locked),
    ];
    registry.put(tag, &layers)
}

fn note(person: &Person, reference: &str) -> String {
    fs::read_to_string(person.pulled(reference).join("files/asks/note.txt")).unwrap()
}

#[test]
fn a_registry_that_breaks_off_leaves_nothing_that_would_be_used() {
    let (registry, person) = (StandIn::start(), Person::new());
    put(&registry, "1", "a note");
    let reference = registry.reference("app:1");
    registry.sends(Sends::Half);
    person.pull(&reference).refused(&["broke off", "try again, what has come is kept"]);
    assert_eq!(person.applications(), 0);
    assert!(!person.state().join("registry/unfinished").exists());
    registry.sends(Sends::All);
    assert_eq!(note(&person, &reference), "a note");
}

#[test]
fn a_pull_that_was_killed_is_made_good_by_the_next() {
    let (registry, person) = (StandIn::start(), Person::new());
    put(&registry, "1", "a note");
    let reference = registry.reference("app:1");
    registry.sends(Sends::HalfForNow);
    let mut killed = person.pulling(&reference).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    registry.wait_for_half();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(person.state().join("registry/unfinished").exists());
    assert_eq!(person.applications(), 0);
    registry.sends(Sends::All);
    assert_eq!(note(&person, &reference), "a note");
    assert!(!person.state().join("registry/unfinished").exists());
}

#[test]
fn of_two_pulls_at_once_one_says_that_it_waits_and_what_is_there_needs_nobody() {
    let (registry, person) = (StandIn::start(), Person::new());
    put(&registry, "1", "one note");
    put(&registry, "2", "another note");
    let (first, second) = (registry.reference("app:1"), registry.reference("app:2"));
    assert_eq!(note(&person, &first), "one note");
    put(&registry, "3", "a third note");
    registry.sends(Sends::HalfForNow);
    let spawn =
        |reference: &str| person.pulling(reference).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pulling = spawn(&second);
    registry.wait_for_half();
    let mut waiting = spawn(&registry.reference("app:3"));
    let mut told = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.contains("another `plaza` is pulling into") && told.contains("waiting"), "{told}");
    // What was pulled already is there all the while.
    assert_eq!(note(&person, &first), "one note");
    registry.sends(Sends::All);
    for (child, reference, expected) in
        [(pulling, second, "another note"), (waiting, registry.reference("app:3"), "a third note")]
    {
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let folder = word_after(&String::from_utf8_lossy(&ended.stdout), &format!("{reference} is in "));
        assert_eq!(fs::read_to_string(format!("{folder}/files/asks/note.txt")).unwrap(), expected);
    }
}

#[test]
fn a_registry_that_names_another_kind_of_digest_changes_nothing() {
    let (registry, person) = (StandIn::start(), Person::new());
    let (first, second) = (put(&registry, "1", "one note"), put(&registry, "2", "another note"));
    for (tag, digest, expected) in [("1", &first, "one note"), ("2", &second, "another note")] {
        let folder = person.pulled(&registry.reference(&format!("app:{tag}")));
        assert!(folder.ends_with(digest.replace("sha256:", "")), "{}", folder.display());
        assert_eq!(note(&person, &registry.reference(&format!("app@{digest}"))), expected);
    }
    assert_eq!(person.applications(), 2);
    // Whoever says the digest gets that and nothing else.
    let pinned = format!("sha256:{}", "a".repeat(64));
    registry.pass_off("1", &pinned);
    person.pull(&registry.reference(&format!("app@{pinned}"))).refused(&["is not used"]);
    person.pull(&registry.reference(&format!("app@{}", first.to_uppercase()))).refused(&["registry/repository:tag"]);
    assert_eq!(person.applications(), 2);
}

#[tokio::test]
async fn a_tag_that_was_moved_brings_what_it_means_now_and_pruning_removes_what_it_meant() {
    let (registry, person, reference) = pushed("tests/spin-apps/static-response/spin.toml", "app:1");
    let before = person.pulled(&reference);
    let digest = word_after(&person.pull(&reference).text, "digest: ");
    person.push(&workspace().join("tests/spin-apps/dependencies/spin.toml"), &reference);
    let after = person.pulled(&reference);
    assert_ne!(before, after);
    let pinned = registry.reference(&format!("app@{digest}"));
    assert_eq!(person.pulled(&pinned), before);
    assert_eq!(person.pulled(&reference), after);
    let state = person.state();
    let prune = |more: &[&str]| {
        person.registry(&[&["prune", "--state-dir", state.to_str().unwrap()], more].concat()).expect().text
    };
    assert!(prune(&[&digest]).contains("removed 0 applications"));
    assert!(prune(&[]).contains("removed 1 applications"));
    assert!(!before.exists() && after.join("spin.toml").exists());
    person.registry(&["prune", "--state-dir", state.to_str().unwrap(), "1.0"]).refused(&["is no digest"]);
    // What was removed can be pulled again.
    assert_eq!(person.pulled(&pinned), before);
}

#[tokio::test]
async fn what_a_host_serves_is_pruned_once_it_has_ended() {
    let (_registry, person, reference) = pushed("tests/spin-apps/static-response/spin.toml", "app:1");
    let host = Setup::in_registry(&reference).start();
    let state = host.setup().state().path().to_owned();
    let registry = |action: &str, more: &[&str]| {
        person.registry(&[&[action, "--state-dir", state.to_str().unwrap()], more].concat()).expect().text
    };
    person.push(&workspace().join("tests/spin-apps/dependencies/spin.toml"), &reference);
    registry("pull", &["--insecure", &reference]);
    let pruned = registry("prune", &[]);
    assert!(pruned.contains("removed 0 applications") && pruned.contains("1 more stay"), "{pruned}");
    assert_eq!(host.client().get("/hello").await.expect(200).text(), "hello");
    assert_eq!(host.client().get("/notice/weather").await.expect(200).text(), "Grüße\n");
    let host = host.kill();
    assert!(registry("prune", &[]).contains("removed 1 applications"));
    drop(host);
}
