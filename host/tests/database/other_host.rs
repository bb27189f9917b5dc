//! This test binary once more, as a host in a process of its own that can be killed.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use plaza::database::Database;

use crate::ground::{connect, settings};

/// The host's process.
pub struct OtherHost {
    process: Child,
}

impl OtherHost {
    /// Starts it and waits until its database serves.
    pub fn start(state: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "other_host::a_host_in_a_process_of_its_own", "--ignored", "--nocapture"])
            .env("PLAZA_TEST_STATE", state)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("the host is ready")), "the other host did not start");
        Self { process }
    }

    /// Kills it: it can clear nothing away.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The server that runs on a state folder, from PostgreSQL's own note.
pub fn server_process(state: &Path) -> Option<i32> {
    let note = fs::read_to_string(state.join("postgres/postmaster.pid")).ok()?;
    note.lines().next()?.trim().parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "started by other tests as a process to be killed"]
async fn a_host_in_a_process_of_its_own() {
    let state = std::env::var_os("PLAZA_TEST_STATE").unwrap();
    let database = Database::start(&settings(Path::new(&state))).await.unwrap();
    let component = database.provision("other_host").await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept (value int); INSERT INTO kept VALUES (1)")
        .execute(&mut connect(&component).await)
        .await
        .unwrap();
    println!("the host is ready");
    std::future::pending::<()>().await;
}
