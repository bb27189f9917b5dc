//! A machine without PostgreSQL: the host brings it.

use plaza_tests::{Host, Setup};

use crate::is_root_on_linux;

const APPLICATION: &str = "tests/apps/databases/spin.toml";

/// Hides the machine's own PostgreSQL from a command, in a mount namespace of its own.
const HIDDEN: [&str; 6] = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    "mkdir -p /usr/lib/postgresql && mount -t tmpfs none /usr/lib/postgresql && PATH=/usr/sbin:/usr/bin:/sbin:/bin exec \"$@\"",
    "sh",
];

#[tokio::test]
async fn programs_are_installed_into_an_empty_folder_and_used_again() {
    let folder = tempfile::Builder::new().permissions(open_to_all()).tempdir().unwrap();
    let programs = folder.path().join("postgresql");
    let setup = Setup::of(APPLICATION).argument("--postgres-dir").argument(&programs.display().to_string());
    let host = setup.start();
    first_query_works(&host).await;
    let line = host.stderr().line_with("installing it");
    assert!(line.contains("https://repo1.maven.org/maven2/"), "{line}");
    assert!(line.contains(&programs.display().to_string()), "{line}");
    assert!(programs.join("bin/postgres").is_file());
    let ended = host.stop();
    let again = ended.setup.start();
    first_query_works(&again).await;
    let ended = again.stop();
    assert!(!ended.stderr.contains("installing it"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_machine_without_postgresql_gets_it_into_the_state_folder() {
    if !is_root_on_linux() {
        return;
    }
    let host = Setup::of(APPLICATION).run_by(&HIDDEN).start();
    first_query_works(&host).await;
    host.stderr().line_with("installing it");
    let state = host.setup().state().path().to_owned();
    assert!(state.join("programs/bin/postgres").is_file());
    host.stop();
}

#[test]
fn without_a_network_the_ways_out_are_told() {
    if !is_root_on_linux() {
        return;
    }
    let mut without_network = HIDDEN.to_vec();
    without_network.insert(1, "--net");
    let ended = Setup::of(APPLICATION).run_by(&without_network).refused();
    assert_ne!(ended.code, Some(0));
    for expected in ["could not be installed from https://repo1.maven.org/", "apt-get install", "--database-url"] {
        assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    }
    assert!(ended.stderr.trim_end().ends_with("or name a server with `--database-url`"), "told once: {}", ended.stderr);
}

#[test]
fn a_folder_without_programs_that_is_not_empty_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let path = folder.path().display().to_string();
    let ended = Setup::of(APPLICATION).argument("--postgres-dir").argument(&path).refused();
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains(&path) && ended.stderr.contains("--postgres-dir"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
}

async fn first_query_works(host: &Host) {
    assert_eq!(host.client().get("/owner").await.expect(200).text(), "owner_database");
}

/// Another account runs the server when root tests.
fn open_to_all() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o755)
}
