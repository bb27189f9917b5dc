//! A host is killed at each step of a deploy. What it serves then, and what another host on the same database serves, is the old
//! version or the new one.

use std::path::Path;

use plaza_tests::{
    Host,
    artifact::{loops_at_once, stamped},
    databases::Databases,
    hold::Hold,
    operator::Deploying,
    state::children,
    until,
};

use crate::hosts::Application;

/// A lock that the test holds, for whom a migration and a commit wait.
pub const TURN: &str = "SELECT pg_advisory_xact_lock(4711)";

/// Whoever commits another active version waits for the same lock.
pub const COMMITS_WAIT: &str = "
    CREATE FUNCTION wait_for_the_turn() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER waits AFTER UPDATE OF active ON standings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait_for_the_turn()";

/// Longer than a host that is about to be killed lives.
const SLOW: &str = "/one/slow?ms=25000";

/// Who is killed, and a host that goes on, on whose database server both are.
struct Fleet {
    killed: Host,
    steady: Host,
    databases: Databases,
    _application: Application,
}

impl Fleet {
    fn start() -> Self {
        let application = Application::new();
        let steady = application.setup().start();
        let killed = application.beside(&steady);
        let databases = Databases::of(&steady);
        Self { killed, steady, databases, _application: application }
    }

    /// Deploys on the one, and kills it while the deploy waits for what the test holds in this database.
    async fn killed_waiting(self, file: &Path, more: &[&str], (database, held): (&str, &str)) -> Self {
        let mut hold = Hold::by(&self.databases, database, held).await;
        let deploying = self.killed.begin_deploy("one", file, more);
        hold.until_waiting(1).await;
        self.killed_in(deploying, Some(hold)).await
    }

    /// The same once the deploy has told that this step is done, which begins the next.
    async fn killed_after(self, step: &str, file: &Path, more: &[&str]) -> Self {
        let mut deploying = self.killed.begin_deploy("one", file, more);
        deploying.until_done(step).await;
        self.killed_in(deploying, None).await
    }

    /// Kills the host, lets go of what it waited for, and starts it again.
    async fn killed_in(self, deploying: Deploying, hold: Option<Hold>) -> Self {
        let setup = tokio::task::block_in_place(|| self.killed.kill());
        assert!(!deploying.went_through().await, "it came to its end before the host did");
        if let Some(hold) = hold {
            hold.let_go().await;
        }
        Self { killed: tokio::task::block_in_place(|| setup.start()), ..self }
    }

    /// Both hosts serve this version, and answer as it does.
    async fn serves(&self, version: &str, text: &str) {
        for host in [&self.killed, &self.steady] {
            until(&format!("{version} is served"), async || (host.version_of("one").await == version).then_some(()))
                .await;
            assert_eq!(host.client().get("/one/hello").await.expect(200).text(), text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_before_the_switch_leaves_the_old_version_whatever_the_step() {
    let fleet = Fleet::start();
    let file = stamped("newer", "offered");
    let fleet = fleet.killed_waiting(&file, &[], ("plaza", "LOCK TABLE artifacts IN SHARE MODE")).await;
    fleet.serves("v1", "hello").await;

    // It takes long enough to be seen; it would not fit.
    let file = stamped("products", "compiled");
    let deploying = fleet.killed.begin_deploy("one", &file, &[]);
    let process = fleet.killed.process();
    until("the compiler is at work", async || {
        children(process).into_iter().find(|(_, arguments)| arguments.starts_with("plaza compile "))
    })
    .await;
    let fleet = fleet.killed_in(deploying, None).await;
    fleet.serves("v1", "hello").await;

    let file = stamped("newer", "kept");
    let number = "SELECT FROM version_numbers WHERE component = 'one' FOR UPDATE";
    let fleet = fleet.killed_waiting(&file, &[], ("plaza", number)).await;
    fleet.serves("v1", "hello").await;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("0001_late.sql"), format!("CREATE TABLE late (id integer);\n{TURN};\n")).unwrap();
    let migrations = ["--migrations", folder.path().to_str().unwrap()];
    let file = stamped("newer", "migrated");
    let fleet = fleet.killed_waiting(&file, &migrations, ("one_database", TURN)).await;
    fleet.serves("v1", "hello").await;
    let tables = "SELECT count(*) FROM pg_tables WHERE tablename = 'late'";
    until("nothing of the migration is there", async || {
        (fleet.databases.number("one_database", tables).await == 0).then_some(())
    })
    .await;

    let fleet = fleet.killed_after("keep", &loops_at_once("newer"), &[]).await;
    fleet.serves("v1", "hello").await;

    let fleet = fleet.killed_after("instantiate", &stamped("newer", "probed"), &["--probe", SLOW]).await;
    fleet.serves("v1", "hello").await;

    let file = stamped("newer", "switched");
    let standing = "SELECT FROM standings WHERE component = 'one' FOR UPDATE";
    let fleet = fleet.killed_waiting(&file, &[], ("plaza", standing)).await;
    fleet.serves("v1", "hello").await;

    // Nothing of all that is in the way of the next.
    let done = fleet.killed.deploy("one", &stamped("newer", "migrated"), &migrations).await.expect();
    assert!(done.text.contains("0001_late.sql"), "{}", done.text);
    let version = fleet.killed.version_of("one").await;
    fleet.serves(&version, "newer").await;
    fleet.killed.operate(&["rollback", "one"]).await.expect();
    fleet.serves("v1", "hello").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_after_the_switch_is_sent_off_leaves_the_new_version() {
    let fleet = Fleet::start();
    // The host is killed when it has asked for the commit, and before it has heard of it.
    fleet.databases.execute("plaza", COMMITS_WAIT).await;
    let fleet = fleet.killed_waiting(&stamped("newer", "committed"), &[], ("plaza", TURN)).await;
    fleet.databases.execute("plaza", "DROP TRIGGER waits ON standings").await;
    fleet.serves("v2", "newer").await;

    let client = fleet.killed.client();
    let slow = tokio::spawn(async move { client.get(SLOW).try_send().await });
    until("the slow request is under way", async || (fleet.killed.in_flight_of("one").await == 1).then_some(())).await;
    let fleet = fleet.killed_after("switch", &stamped("newer", "drained"), &[]).await;
    fleet.serves("v3", "newer").await;
    assert!(slow.await.unwrap().is_err(), "it was answered by a host that was killed");
}
