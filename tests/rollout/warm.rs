//! Instances that are there when a version takes over, so that nobody waits until one is made.

use futures::future::join_all;
use plaza_tests::{
    Host, Setup,
    artifact::{built, stamped},
    manifest::Manifest,
    until,
};

/// One request an instance, so that there are as many instances as requests at once.
const MANIFEST: &str = r#"spin_manifest_version = 2
[application]
name = "warm"
[[trigger.http]]
route = "/one/..."
component = "one"
[component.one]
source = "target/wasm32-wasip2/release/newer.wasm"
[component.one.tool.plaza]
limits = { instances = 4, concurrent_per_instance = 1 }
"#;

/// A host with room for so many instances, all of whose workers are on one core.
fn host(room: usize) -> Host {
    let setup = Setup::of("none").manifest_in(Manifest::of_text(MANIFEST));
    setup.argument("--cores").argument("1").argument("--instances").argument(&room.to_string()).start()
}

/// Deploys while so many requests are under way, all of which are answered; returns what the deploy says and how many
/// instances the new version has.
async fn deployed_beside(host: &Host, requests: usize) -> (String, i64) {
    let client = host.client();
    let asking = join_all((0..requests).map(|_| async { client.get("/one/slow?ms=4000").await.expect(200) }));
    let deploying = async {
        let count = i64::try_from(requests).unwrap();
        until("all are under way", async || (host.in_flight_of("one").await == count).then_some(())).await;
        host.deploy("one", &stamped("newer", "two"), &[]).await.expect().text
    };
    let (_, text) = tokio::join!(asking, deploying);
    let newest = host.status_of("one").await["versions"][0].clone();
    assert_eq!((&newest["version"], &newest["answered"]), (&"v2".into(), &0.into()), "{newest}");
    (text, newest["instances"].as_i64().unwrap())
}

#[tokio::test]
async fn a_version_that_takes_over_has_as_many_instances_as_the_one_before() {
    let host = host(100);
    let (text, instances) = deployed_beside(&host, 3).await;
    assert!(text.contains("3 instances made") && instances == 3, "{instances}: {text}");
    // They are what answers: nobody needs another.
    let client = host.client();
    join_all((0..3).map(|_| async { client.get("/one/slow?ms=100").await.expect(200) })).await;
    assert_eq!(host.status_of("one").await["instances"], 3);
}

#[tokio::test]
async fn a_deploy_goes_through_where_there_is_no_room_for_more_than_its_first_instance() {
    let host = host(3);
    let (text, instances) = deployed_beside(&host, 2).await;
    assert!(text.contains("one instance made") && instances == 1, "{instances}: {text}");
    host.client().get("/one").await.expect(200);
}

#[tokio::test]
async fn a_version_on_trial_that_is_promoted_has_as_many_instances_as_the_one_before() {
    let host = host(100);
    host.deploy("one", &built("newer"), &["--canary", "0.01%", "--canary-window", "1h"]).await.expect();
    let client = host.client();
    // The header's hash is above so small a share.
    let ask = async || client.get("/one/slow?ms=4000").header("x-plaza-sticky", "client-1").await.expect(200);
    let asking = join_all((0..3).map(|_| ask()));
    let promoting = async {
        until("all are under way", async || (host.in_flight_of("one").await == 3).then_some(())).await;
        host.operate(&["promote", "one"]).await.expect();
    };
    tokio::join!(asking, promoting);
    let active = host.status_of("one").await["versions"][0].clone();
    assert_eq!((&active["version"], &active["instances"]), (&"v2".into(), &3.into()), "{active}");
}

#[tokio::test]
async fn what_was_refused_leaves_no_instance_behind() {
    // Room for one that is tried out, and no more.
    let host = host(1);
    for _ in 0..3 {
        host.deploy("one", &built("newer"), &["--probe", "/one/worse"]).await.refused(&["at probe", "500"]);
    }
    host.client().get("/one").await.expect(200);
    assert_eq!(host.version_of("one").await, "v1");
}
