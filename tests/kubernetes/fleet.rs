//! Hosts as the pods are: several on one server, each with a state folder of its own that is thrown away with it.

use std::io::Write;

use plaza_tests::{Client, Host, Setup, artifact::stamped, databases::Databases, manifest::Manifest, until};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::{
    objects::{container, flags, word},
    pods::OWN_CONNECTIONS,
};

/// The password that every pod is given.
const ADMIN_PASSWORD: &str = "the operator's own secret";

/// A server on which nothing of the shop is, in place of the one of the operator.
fn server() -> Host {
    Setup::of("tests/apps/databases/spin.toml").start()
}

/// A host as a pod's, on this server, in a state folder of its own: address, password and variables come as the Deployment gives them.
fn pod(server: &Host, password: &tempfile::NamedTempFile) -> Setup {
    let url = server.setup().state().database_owner_url();
    let mut url = reqwest::Url::parse(&url).expect("an address");
    password.as_file().write_all(url.password().expect("a password").as_bytes()).expect("a file can be written");
    url.set_password(None).expect("an address without a password");
    let cores = flags().remove("--cores").expect("a number of cores");
    Setup::shop()
        .argument(&format!("--cores={cores}"))
        .environment("PLAZA_DATABASE_URL", url.as_str())
        .environment("PLAZA_DATABASE_PASSWORD_FILE", password.path().to_str().expect("a path"))
        .environment("SPIN_VARIABLE_ADMIN_PASSWORD", ADMIN_PASSWORD)
}

async fn started(setup: Setup) -> Host {
    spawn_blocking(|| setup.start()).await.expect("it starts")
}

async fn administrator(host: &Host) -> Client {
    let login = json!({"email": "admin@example.com", "password": ADMIN_PASSWORD});
    let token = host.client().post("/api/v1/sessions", &login).await.expect(201).json();
    host.client().with_token(token["access_token"].as_str().expect("a token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_start_at_once_on_an_empty_server_all_serve_and_one_that_is_replaced_is_missed_by_nobody() {
    let server = server();
    let password = [(); 4].map(|()| tempfile::NamedTempFile::new().expect("a file"));
    let [one, two, three, four] = password.each_ref().map(|password| pod(&server, password));
    let (one, two, three) = tokio::join!(started(one), started(two), started(three));
    let hosts = [one, two, three];
    for host in &hosts {
        for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
            let path = word(&container()[probe]["httpGet"]["path"]);
            until(&format!("{probe} is content"), async || {
                (host.client().get(&path).await.status == 200).then_some(())
            })
            .await;
        }
        assert!(!host.all_output().contains("admin_password"), "a password was made and printed");
        host.client().at(host.control_address()).get("/status").await.expect(401);
    }
    // What one has signed, all believe.
    let token = administrator(&hosts[0]).await;
    for host in &hosts {
        token.at(host.base()).get("/api/v1/users").await.expect(200);
    }
    let connections = connections_of_hosts(&server).await;
    // Those of the server's own host are among them.
    let most = (hosts.len() as i64 + 1) * OWN_CONNECTIONS as i64;
    assert!(connections <= most, "{connections} connections of the hosts themselves");

    // Its state folder goes with it, and another one has an empty one.
    let [gone, ..] = hosts.each_ref();
    let state = gone.setup().state().path().to_owned();
    let kept: Vec<String> = std::fs::read_dir(&state)
        .expect("the state folder")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a name"))
        .filter(|name| !["cache", "files", "control.json", "lock"].contains(&name.as_str()))
        .collect();
    assert!(kept.is_empty(), "what deployment.yaml does not speak of: {kept:?}");
    let [gone, rest @ ..] = hosts;
    gone.stop();
    let new = started(four).await;
    token.at(new.base()).get("/api/v1/users").await.expect(200);
    for host in &rest {
        let client = host.client();
        until("it is ready", async || (client.get("/health/ready").await.status == 200).then_some(())).await;
    }
    drop((new, rest));
    drop(server);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_image_reaches_every_pod_and_so_does_its_undoing() {
    let server = server();
    let password = [(); 3].map(|()| tempfile::NamedTempFile::new().expect("a file"));
    let [old, updated, undone] = password.each_ref().map(|password| pod(&server, password));
    let source = |file: &str| format!("source = \"{file}\"");
    let file = stamped("products", "two");
    let image = Manifest::of_the_shop_with(
        &source("target/wasm32-wasip2/release/products.wasm"),
        &source(file.to_str().expect("a path")),
    );
    let old = started(old).await;
    assert_eq!(old.version_of("products").await, "v1");
    let new = started(updated.manifest(image.path())).await;
    serves(&[&old, &new], "v2").await;
    old.client().get("/api/v1/products").await.expect(200);
    old.stop();
    let back = started(undone).await;
    serves(&[&new, &back], "v3").await;
    drop((new, back));
    drop(server);
}

/// Waits until this version of the products answers on all these hosts.
async fn serves(hosts: &[&Host], version: &str) {
    for host in hosts {
        until(&format!("{} serves {version}", host.base()), async || {
            (host.version_of("products").await == version).then_some(())
        })
        .await;
    }
}

/// Connections to the hosts' own database, leases included, of the shop's hosts.
async fn connections_of_hosts(server: &Host) -> i64 {
    let mut session = Databases::of(server).connect("plaza").await;
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'plaza' AND pid <> pg_backend_pid()";
    sqlx::query_scalar(count).fetch_one(&mut session).await.expect("a number")
}
