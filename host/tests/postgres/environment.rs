//! A guest's connection is the guest's: nothing of the host's environment travels along.

use super::server::{PASSWORD, Server};
use super::{Fixture, shared_server, value};
use plaza::capability::postgres::{Connection, DbValue, Error, FOREIGN_VARIABLES, OwnServer};
use std::process::Command;
use std::sync::Arc;

/// What the server says about a connection's session.
const SESSION: &str = "SELECT concat_ws(' ', current_user, current_database(), current_setting('application_name'),
    current_setting('statement_timeout'), (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()))";

#[tokio::test]
async fn a_guest_connects_with_fixed_defaults() {
    let server = shared_server();
    let fixture = Fixture::on(server, "postgres", |_| {});
    assert_eq!(fixture.value(SESSION).await, DbValue::Str("postgres postgres plaza 0 f".to_owned()));

    let without_database = server.address("");
    let connection = Connection::open(&fixture.pools, &without_database, None).unwrap();
    let session = value(&connection, SESSION, &[]).await.unwrap();
    assert_eq!(session, DbValue::Str("postgres postgres plaza 0 f".to_owned()));

    let port = server.port;
    let without_password = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    let connection = Connection::open(&fixture.pools, &without_password, None).unwrap();
    let error = value(&connection, "SELECT 1", &[]).await.unwrap_err();
    assert!(matches!(&*error, Error::ConnectionFailed(text) if text.contains("password")), "{error:?}");

    for incomplete in ["postgres://127.0.0.1/postgres", "postgres://postgres@/postgres", "dbname=postgres"] {
        assert!(Connection::open(&fixture.pools, incomplete, None).is_err(), "{incomplete}");
    }
}

#[tokio::test]
async fn the_hosts_own_server_is_entered_by_its_socket_and_no_other() {
    let server = shared_server();
    let by_socket = "SELECT inet_client_addr() IS NULL";
    let near = Fixture::on(server, "postgres", |settings| settings.own_server = own_server(server, server.port));
    assert_eq!(near.value(by_socket).await, DbValue::Boolean(true));
    let other = Fixture::on(server, "postgres", |settings| settings.own_server = own_server(server, server.port - 1));
    assert_eq!(other.value(by_socket).await, DbValue::Boolean(false));

    // The socket carries no TLS, so who wants it is told that the server has none, as without the socket.
    let encrypted = format!("{}?sslmode=require", server.address("postgres"));
    let connection = Connection::open(&near.pools, &encrypted, None).unwrap();
    let error = value(&connection, "SELECT 1", &[]).await.unwrap_err();
    assert!(matches!(&*error, Error::ConnectionFailed(text) if text.contains("TLS")), "{error:?}");
}

#[tokio::test]
async fn the_hosts_own_server_is_waited_for_while_it_has_no_socket() {
    let server = Server::start();
    let near = Fixture::on(&server, "postgres", |settings| settings.own_server = own_server(&server, server.port));
    server.crash();
    let asked = tokio::spawn(async move { near.value("SELECT inet_client_addr() IS NULL").await });
    let revived = tokio::task::spawn_blocking(move || {
        server.revive();
        server
    });
    let _server = revived.await.unwrap();
    assert_eq!(asked.await.unwrap(), DbValue::Boolean(true));
}

/// The server as the host's own, which is known by this port.
fn own_server(server: &Server, port: u16) -> Option<Arc<OwnServer>> {
    Some(Arc::new(OwnServer { address: format!("127.0.0.1:{port}"), socket: Some(server.folder.clone()) }))
}

#[test]
fn the_hosts_environment_changes_none_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("pgpass");
    std::fs::write(&passwords, format!("*:*:*:*:{PASSWORD}\n")).unwrap();
    std::fs::set_permissions(&passwords, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let hostile = [
        ("PGAPPNAME", "leaked"),
        ("PGDATABASE", "template1"),
        ("PGHOST", "127.0.0.1"),
        ("PGHOSTADDR", "127.0.0.1"),
        ("PGPASSFILE", passwords.to_str().unwrap()),
        ("PGPASSWORD", PASSWORD),
        ("PGPORT", "1"),
        ("PGSSLMODE", "verify-full"),
        ("PGUSER", "intruder"),
        ("PGSSLROOTCERT", "/nowhere/at/all.pem"),
    ];
    let (passed, output) = again("environment::a_guest_connects_with_fixed_defaults", &hostile);
    assert!(passed, "{output}");
}

#[test]
fn what_cannot_be_kept_out_closes_the_way() {
    for name in ["PGOPTIONS", "PGSSLCERT", "PGSSLKEY"] {
        let (passed, output) = again("environment::a_guest_connects_with_fixed_defaults", &[(name, "-c geqo=off")]);
        assert!(!passed && output.contains(&format!("the host's environment sets {name}")), "{output}");
    }
}

/// Runs one of these tests in a process of its own, with more in its environment. Whether it passed, and its output.
fn again(test: &str, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in FOREIGN_VARIABLES {
        command.env_remove(name);
    }
    let output = command.args([test, "--exact"]).envs(variables.iter().copied()).output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(text.contains("running 1 test"), "{text}");
    (output.status.success(), text)
}
