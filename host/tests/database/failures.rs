//! Starts that cannot work, or only after something was mended.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path};

use nix::unistd::Uid;
use plaza::database::Database;
use sqlx::Connection;

use crate::{
    ground::{connect, settings},
    state_folder::initialised_folder,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_host_on_one_state_folder_is_refused_by_process_id() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let database = Database::start(&settings(&state)).await.unwrap();
    let error = start_error(&state).await;
    assert!(error.contains(&format!("in use by another host (process {})", std::process::id())), "{error}");
    database.stop().await.unwrap();
    Database::start(&settings(&state)).await.unwrap().stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_port_is_given_up_for_another() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let port: u16 = fs::read_to_string(state.join("postgres-port")).unwrap().trim().parse().unwrap();
    let _squatter = TcpListener::bind(("127.0.0.1", port));
    let database = Database::start(&settings(&state)).await.unwrap();
    let component = database.provision("component").await.unwrap();
    assert_ne!(component.host, format!("127.0.0.1:{port}"));
    connect(&component).await.close().await.unwrap();
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_of_another_version_is_named_with_a_way_out() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    for version in ["9.6", "13", "99"] {
        fs::write(state.join("postgres/PG_VERSION"), format!("{version}\n")).unwrap();
        let error = start_error(&state).await;
        assert!(error.contains(&format!("made by PostgreSQL {version}, but this machine has version ")), "{error}");
        assert!(error.contains("--state-dir"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_administrators_password_is_told() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    fs::remove_file(state.join("postgres-password")).unwrap();
    let error = start_error(&state).await;
    assert!(error.contains("postgres-password is missing"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_the_servers_account_cannot_enter_is_named() {
    if !Uid::effective().is_root() {
        return;
    }
    let closed = tempfile::tempdir().unwrap();
    fs::set_permissions(closed.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = start_error(&closed.path().join("state")).await;
    let expected = format!("cannot enter {}: choose a folder it can reach", closed.path().display());
    assert!(error.contains(&expected) && error.contains("--state-dir"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_with_a_path_too_long_for_a_socket_serves() {
    let folder = initialised_folder();
    let deep = folder.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    fs::rename(folder.path().join("state"), deep.join("state")).unwrap();
    let database = Database::start(&settings(&deep.join("state"))).await.unwrap();
    database.provision("component").await.unwrap();
    database.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_is_told_in_the_servers_words() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    fs::write(state.join("postgres/postgresql.conf"), "work_mem = 'heavy'\n").unwrap();
    let error = start_error(&state).await;
    assert!(error.contains("PostgreSQL did not start") && error.contains("postgres.log"), "{error}");
}

async fn start_error(state: &Path) -> String {
    Database::start(&settings(state)).await.err().unwrap().to_string()
}
