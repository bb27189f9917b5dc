//! Relays that cannot be what they are asked to be say why, and what to do.

use plaza_tests::{Setup, manifest::Manifest, spin, state::StateFolder};

/// An address at which nothing listens.
const NOWHERE: &str = "postgres://nobody:hidden-word@127.0.0.1:1/postgres";

#[track_caller]
fn refused(setup: Setup, words: &[&str]) {
    let ended = setup.refused();
    assert_ne!(ended.code, Some(0));
    for word in words {
        assert!(ended.stderr.contains(word), "no {word:?} in {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("hidden-word"), "{}", ended.stderr);
}

#[test]
fn a_database_that_is_away_at_the_start_is_named_without_its_password() {
    refused(Setup::relay("spin.toml", "http://127.0.0.1:3000", NOWHERE), &["127.0.0.1:1", "is the server running"]);
}

#[test]
fn an_address_that_is_none_is_refused_without_being_repeated() {
    let to = |target: &str| Setup::relay("spin.toml", target, NOWHERE);
    refused(to("127.0.0.1:3000"), &["--target", "http://host:port"]);
    refused(to("http://ada:hidden-word@127.0.0.1"), &["--target", "it has a user in it"]);
}

#[test]
fn a_manifest_in_which_nobody_does_anything_unasked_is_nothing_to_relay() {
    let silent = spin::manifest();
    let setup = Setup::relay(silent.path(), "http://127.0.0.1:3000", NOWHERE);
    refused(setup, &["nothing to relay", "tool.plaza"]);
    let faulty = Manifest::of_text("spin_manifest_version = 2\n[application]\n");
    refused(Setup::relay(faulty.path(), "http://127.0.0.1:3000", NOWHERE), &["spin.toml", "name"]);
}

#[test]
fn a_variable_that_there_is_not_and_tables_that_nobody_made_are_told_with_what_to_do() {
    let server = Setup::of("tests/apps/databases/spin.toml").start();
    let url = server.setup().state().database_owner_url();
    let relay = || Setup::relay("spin.toml", "http://127.0.0.1:3000", &url);
    let named = relay().argument("--token-variable").argument("servce_token");
    refused(named, &["no variable `servce_token`", "did you mean `service_token`?", "--token-variable"]);
    refused(relay().variable("service_token="), &["`service_token` holds no token"]);
    refused(relay().variable("sevice=1"), &["names no variable of the manifest"]);
    refused(relay(), &["plaza migrate", "outbox", "does not exist"]);
    let busy = relay().in_state(StateFolder::new());
    let first = server.setup().clone();
    refused(busy.state_of(&first), &["in use by another host", "--state-dir"]);
}
