//! The platform, shown on small guests of one behaviour each. One host serves all the tests of this file.

use std::sync::LazyLock;

use plaza_tests::{Client, Host, Setup};

mod access_log;
mod answers;
mod bounds;
mod broken_off;
mod chains;
mod commands;
mod control_api;
mod http;
mod isolation;
mod letters;
mod links;
mod misbehaviour;
mod old_components;
mod proxies;
mod room;
mod slow_clients;
mod sockets;

/// The host of these tests. It stops when this process ends.
fn host() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| Setup::platform().start());
    &HOST
}

/// Somebody who speaks to it.
fn client() -> Client {
    host().client()
}

/// A number that stands behind `word` in a guest's answer: `3 calls, the slowest 250 us`.
fn number_behind(text: &str, word: &str) -> u64 {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word:?} in {text:?}"));
    rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text:?}"))
}
