//! Components replaced while they serve.

use plaza_tests::{Host, Setup};

mod apply;
mod crashes;
mod deploy;
mod fleet;
mod hosts;
mod interfaces;
mod killed;
mod language;
mod load;
mod refusals;
mod rollback;
mod shop;
mod tickets;
mod trial;
mod walkthrough;
mod warm;
mod watch;

/// Small guests that are there to be replaced.
fn setup() -> Setup {
    Setup::of("tests/apps/rollout/spin.toml")
}

/// A host of one test's own.
fn host() -> Host {
    setup().start()
}

/// What `/hello` answers.
async fn greeting(host: &Host) -> String {
    host.client().get("/hello").await.expect(200).text()
}
