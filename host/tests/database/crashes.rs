//! What a host or a server that was killed leaves behind.

use std::{fs, process::Command};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use plaza::database::Database;

use crate::{
    ground::{connect, settings, until},
    other_host::{OtherHost, server_process},
    state_folder::initialised_folder,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_leaves_nothing_that_keeps_the_next_from_starting() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let mut host = OtherHost::start(&state);
    let server = server_process(&state).unwrap();
    host.kill();
    // No waiting here: the next host may come while the server is still going down.
    let database = Database::start(&settings(&state)).await.unwrap();
    assert_ne!(server_process(&state).unwrap(), server);
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_takes_its_server_along() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let mut host = OtherHost::start(&state);
    host.kill();
    until("the server has gone", || async { server_process(&state).is_none() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_left_behind_is_stopped_and_started_anew() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let mut host = OtherHost::start(&state);
    let server = server_process(&state).unwrap();
    let watcher = watcher_of(server);
    kill(Pid::from_raw(watcher), Signal::SIGKILL).unwrap();
    host.kill();
    assert!(kill(Pid::from_raw(server), None).is_ok(), "nobody is left to stop the server");
    let database = Database::start(&settings(&state)).await.unwrap();
    assert_ne!(server_process(&state).unwrap(), server);
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_server_recovers_what_was_committed() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let mut host = OtherHost::start(&state);
    let server = server_process(&state).unwrap();
    kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
    host.kill();
    let database = Database::start(&settings(&state)).await.unwrap();
    let component = database.provision("other_host").await.unwrap();
    let kept: i32 =
        sqlx::query_scalar("SELECT value FROM kept").fetch_one(&mut connect(&component).await).await.unwrap();
    assert_eq!(kept, 1);
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(target_os = "linux"), ignore = "nothing tells there whose processes they are")]
async fn processes_that_a_crashed_server_left_do_not_keep_the_next_from_starting() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let mut host = OtherHost::start(&state);
    let server = server_process(&state).unwrap();
    // A halted one does not notice that its server is gone, and keeps the shared memory.
    let halted = child_of(server);
    kill(Pid::from_raw(halted), Signal::SIGSTOP).unwrap();
    kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
    host.kill();
    let database = Database::start(&settings(&state)).await.unwrap();
    assert!(fs::read_link(format!("/proc/{halted}/cwd")).is_err(), "it was ended");
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_note_that_names_a_living_stranger_is_removed() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let note = format!("{}\n{}\n", std::process::id(), state.join("postgres").display());
    fs::write(state.join("postgres/postmaster.pid"), note).unwrap();
    Database::start(&settings(&state)).await.unwrap().stop().await.unwrap();
}

/// One of a server's own processes.
fn child_of(server: i32) -> i32 {
    let listing = Command::new("ps").args(["-e", "-o", "ppid=,pid="]).output().unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let mut processes = listing.lines().filter_map(|line| line.split_whitespace().collect::<Vec<_>>().try_into().ok());
    let [_, child] = processes.find(|[parent, _]: &[&str; 2]| *parent == server.to_string()).unwrap();
    child.parse().unwrap()
}

/// The process that would stop the server if its host were killed.
fn watcher_of(server: i32) -> i32 {
    let listing = Command::new("ps").args(["-eww", "-o", "pid=,args="]).output().unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let line = listing.lines().find(|line| line.ends_with(&format!("plaza-watch {server}"))).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
