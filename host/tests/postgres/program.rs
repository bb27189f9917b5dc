//! The whole program with a server outside that wants encryption.

use super::encryption::encrypted_server;
use super::guests::folder;
use super::server::PASSWORD;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A component with a database, which answers its name.
const MANIFEST: &str = r#"
spin_manifest_version = 2
[application]
name = "encrypted"
version = "1.0.0"
[variables]
own_database_url = { required = true, secret = true }
own_database_host = { required = true }
[[trigger.http]]
route = "/..."
component = "own"
[component.own]
source = "ENTERS_DATABASE"
allowed_outbound_hosts = ["postgres://{{ own_database_host }}"]
variables = { url = "{{ own_database_url }}" }
[component.own.tool.plaza]
database = "own_database"
"#;

/// Starts the program on the server, which must prove who it is by a certificate of `authority`.
fn start(home: &std::path::Path, authority: Option<&std::path::Path>) -> Child {
    let manifest = home.join("spin.toml");
    let guest = folder().join("enters_database.wasm");
    std::fs::write(&manifest, MANIFEST.replace("ENTERS_DATABASE", guest.to_str().unwrap())).unwrap();
    let port = encrypted_server().port;
    let mut command = Command::new(env!("CARGO_BIN_EXE_plaza"));
    command
        .args(["up", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "-f"])
        .arg(&manifest)
        .arg("--state-dir")
        .arg(home.join("state"))
        .arg("--database-url")
        .arg(format!("postgres://postgres:{PASSWORD}@localhost:{port}/postgres?sslmode=verify-full"))
        .env_remove("PGSSLROOTCERT")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(authority) = authority {
        command.env("PGSSLROOTCERT", authority);
    }
    command.spawn().unwrap()
}

#[test]
fn host_and_components_trust_the_authority_that_the_operator_names() {
    let home = tempfile::tempdir().unwrap();
    let authority = home.path().join("authority.pem");
    std::fs::write(&authority, encrypted_server().authority()).unwrap();
    let mut program = start(home.path(), Some(&authority));
    let mut first = String::new();
    // Kept open to the end: the program prints more than this line.
    let mut printed = BufReader::new(program.stdout.take().unwrap());
    printed.read_line(&mut first).unwrap();
    let answer = first.trim().rsplit_once("http://").map(|(_, address)| get(address));
    let id = nix::unistd::Pid::from_raw(program.id().try_into().unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    let said = program.wait_with_output().unwrap().stderr;
    let answer = answer.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&said)));
    assert!(answer.contains("\r\nown_database\r\n"), "{answer}");
}

#[test]
fn a_server_that_nobody_vouches_for_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let ended = start(home.path(), None).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success() && said.contains("certificate"), "{said}");
}

/// The answer to a request for `/`.
fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
