//! What befalls a host that goes on.

use std::time::Duration;

use crate::{Host, state::signal, until_within};

/// How long a database may take to be there again.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends the database server without warning, and waits until the host says that it serves again.
pub async fn kill_database(host: &Host) {
    let served_again = || host.stderr().text().matches("PostgreSQL serves again").count();
    let before = served_again();
    let server = until_within(PATIENCE, "the database runs", async || host.setup().state().postmaster()).await;
    signal("-KILL", server);
    until_within(PATIENCE, "the database serves again", async || (served_again() > before).then_some(())).await;
}
