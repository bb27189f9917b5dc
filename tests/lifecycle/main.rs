//! Starting, stopping, starting again, and what happens to the database meanwhile.

mod database;
mod disk;
mod migrate;
mod outside;
mod programs;

use std::{collections::BTreeMap, net::TcpListener, os::unix::fs::MetadataExt, path::PathBuf, process::Command};

use plaza_tests::{
    Setup, Shop,
    databases::Databases,
    shop::{PASSWORD, fresh_email, id_of, log_in},
    state::is_running,
    until,
    wire::Wire,
};
use serde_json::json;

#[tokio::test]
async fn a_stop_finishes_what_is_in_flight_and_ends_the_database_server() {
    let shop = Shop::start();
    let server = shop.host.setup().state().postmaster().expect("the embedded server runs");
    let body = json!({"name": "Ada Lovelace", "email": fresh_email(), "password": PASSWORD}).to_string();
    let (first_half, second_half) = body.split_at(20);
    let mut wire = Wire::connect(shop.host.base()).await;
    wire.send(&format!(
        "POST /api/v1/users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ))
    .await;
    // This comes when the component asks for the body: the request is in its hands, and no tick is taken for it.
    wire.receive_until("HTTP/1.1 100 Continue\r\n\r\n").await;
    wire.send(first_half).await;

    shop.host.terminate();
    let address = shop.host.base().trim_start_matches("http://").to_owned();
    until("new connections are refused", async || {
        tokio::net::TcpStream::connect(&address).await.is_err().then_some(())
    })
    .await;
    wire.send(second_half).await;
    let answer = wire.receive_all().await;
    assert!(answer.contains("HTTP/1.1 201"), "{answer}");

    let ended = shop.host.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!is_running(server), "the database server outlived its host");
}

#[tokio::test]
async fn a_second_start_finds_the_data_and_compiles_nothing() {
    let shop = Shop::on(Setup::shop().compiles_all().start());
    let product = shop.product("19.99", 7).await;
    let customer = shop.customer().await;
    let order = id_of(&customer.order(&[(product, 2)]).await);
    let password = shop.admin_password().to_owned();
    let compiled = compiled_files(shop.host.setup());
    assert!(!compiled.is_empty(), "the first start keeps what it compiled");

    let ended = shop.host.stop();
    let again = ended.setup.start();
    assert_eq!(compiled_files(again.setup()), compiled);
    again.stdout().line_with("nothing to compile");
    let token = log_in(&again.client(), &customer.email, PASSWORD).await;
    let read = again.client().with_token(&token).get(&format!("/api/v1/orders/{order}")).await.expect(200).json();
    assert_eq!(read["status"], "pending");
    log_in(&again.client(), "admin@example.com", &password).await;
    let ended = again.stop();
    assert!(!ended.stdout.contains(&password), "the password is printed once: {}", ended.stdout);
}

#[test]
fn a_password_that_a_start_made_and_could_not_print_is_printed_by_the_next() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Setup::shop().listen(&address).refused();
    assert!(!ended.stdout.contains("admin_password"), "{}", ended.stdout);
    let host = ended.setup.listen("127.0.0.1:0").start();
    assert!(host.password().len() >= 20);
    let ended = host.stop();
    let again = ended.setup.start().stop();
    assert!(!again.stdout.contains("admin_password"), "once: {}", again.stdout);
}

#[test]
fn a_second_host_on_the_same_state_folder_is_refused_without_a_database_too() {
    let application = || Setup::of("tests/apps/rollout/spin.toml");
    let first = application().start();
    let second = application().state_of(first.setup()).refused();
    assert_ne!(second.code, Some(0));
    assert!(second.stderr.contains("--state-dir"), "says what to do: {}", second.stderr);
}

#[test]
fn a_second_host_on_the_same_state_folder_is_refused() {
    let first = Setup::shop().start();
    let second = Setup::shop().state_of(first.setup()).refused();
    assert_ne!(second.code, Some(0));
    let folder = first.setup().state().path().display().to_string();
    assert!(second.stderr.contains(&folder), "{}", second.stderr);
    assert!(second.stderr.contains("--state-dir"), "says what to do: {}", second.stderr);
}

#[test]
fn a_used_port_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = Setup::shop().listen(&address).refused();
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains(&address) && ended.stderr.contains("--listen"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_flag_wins_over_the_environment_and_nothing_is_generated_then() {
    let host = Setup::shop()
        .argument("--variable")
        .argument("admin_password=from the flag, long")
        .environment("SPIN_VARIABLE_ADMIN_PASSWORD", "from the environment, long")
        .environment("SPIN_VARIABLE_ADMIN_EMAIL", "root@example.com")
        .start();
    log_in(&host.client(), "root@example.com", "from the flag, long").await;
    let wrong = json!({"email": "root@example.com", "password": "from the environment, long"});
    host.client().post("/api/v1/sessions", &wrong).await.problem(401);
    let ended = host.stop();
    for secret in ["from the flag, long", "from the environment, long"] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{secret} was shown");
    }
    assert!(!ended.stdout.contains("admin_password"), "{}", ended.stdout);
    let host = ended.setup.start();
    let made = "SELECT count(*) FROM generated_values WHERE name = 'admin_password'";
    assert_eq!(Databases::of(&host).number("plaza", made).await, 0, "it was generated all the same");
}

#[tokio::test]
async fn secrets_are_neither_printed_nor_logged() {
    let shop = Shop::start();
    let customer = shop.customer().await;
    let token = log_in(&shop.anyone(), &customer.email, PASSWORD).await;
    shop.anyone().with_token(&token).get("/api/v1/orders").await.expect(200);
    let databases = Databases::of(&shop.host);
    let mut secrets = vec![PASSWORD.to_owned(), token, customer.email.clone()];
    for query in
        ["SELECT password FROM component_databases", "SELECT value FROM generated_values WHERE kind <> 'password'"]
    {
        secrets.extend(databases.rows::<(String,)>("plaza", query).await.into_iter().map(|row| row.0));
    }
    let admin_password = shop.admin_password().to_owned();
    let ended = shop.host.stop();
    for secret in secrets {
        let shown = ended.stdout.contains(&secret) || ended.stderr.contains(&secret);
        assert!(!shown, "something secret of {} letters was shown", secret.len());
    }
    assert_eq!(ended.stdout.matches(&admin_password).count(), 1);
    assert!(!ended.stderr.contains(&admin_password));
}

#[test]
fn every_command_explains_itself_with_examples() {
    for command in ["up", "build", "check", "migrate"] {
        let output = Command::new(plaza_tests::setup::plaza()).args([command, "--help"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("Examples"), "{command}: {text}");
        assert!(text.contains(&format!("plaza {command}")), "{command}: {text}");
    }
}

/// The compiled components in a host's state folder, each with the number of its file: who compiles anew writes another file,
/// while who only uses one leaves it in place, with the time of its use as its date.
fn compiled_files(setup: &Setup) -> BTreeMap<PathBuf, u64> {
    let folder = setup.state().path().join("cache");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.map(|file| (file.path(), file.metadata().unwrap().ino())).collect()
}

/// Whether this process may mount disks and hide folders, which is root's right, and Linux's. Where it may not, a test that
/// needs it says so and is left out.
fn is_root_on_linux() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` can be run");
    let permitted = cfg!(target_os = "linux") && id.stdout.trim_ascii() == b"0";
    if !permitted {
        eprintln!("left out: only root on Linux can mount disks and hide folders; run this test as root");
    }
    permitted
}
