//! Several hosts on one database server.

use std::time::{Duration, Instant};

use futures::future::join_all;
use plaza_tests::{
    Host, Setup,
    artifact::{built, stamped},
    cable::Cable,
    databases::Databases,
    hold::Hold,
    until,
    wire::Wire,
};

use crate::{
    hosts::Application,
    killed::{COMMITS_WAIT, TURN},
};

/// A host with a server of its own, and others that use that server.
fn first() -> Host {
    Setup::shop().start()
}

fn another(first: &Host) -> Host {
    Setup::shop().argument("--database-url").argument(&first.setup().state().database_owner_url()).start()
}

#[tokio::test]
async fn a_deploy_on_one_host_is_followed_by_the_others_and_by_those_that_join_later() {
    let one = first();
    let other = another(&one);
    let file = stamped("products", "two");
    one.deploy("products", &file, &[]).await.expect();
    let switched = Instant::now();
    until("the other host follows", async || (other.version_of("products").await == "v2").then_some(())).await;
    println!("the other host followed within {:?}", switched.elapsed());
    other.client().get("/api/v1/products").await.expect(200);
    let late = another(&one);
    assert_eq!(late.version_of("products").await, "v2");
    other.operate(&["rollback", "products"]).await.expect();
    until("all hosts have gone back", async || {
        let all = [one.version_of("products").await, late.version_of("products").await];
        (all == ["v1", "v1"]).then_some(())
    })
    .await;
    drop((late, other));
}

#[tokio::test]
async fn a_deploy_of_which_no_other_host_is_told_is_followed_all_the_same() {
    let application = Application::new();
    let one = application.setup().start();
    let server = Databases::of(&one);
    // Sessions that begin from now on find this before the server's own function.
    let deaf = "CREATE TABLE lost (channel text NOT NULL);
        CREATE FUNCTION pg_notify(text, text) RETURNS void LANGUAGE sql AS 'INSERT INTO public.lost VALUES ($1)';
        ALTER DATABASE plaza SET search_path = public, pg_catalog";
    server.execute("plaza", deaf).await;
    let other = application.beside(&one);
    // An instance of the version before is at work, so the next one is to begin with one.
    let mut echo = Wire::connect(one.base()).await;
    echo.send("POST /two/echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    echo.send_chunk("begun").await;
    echo.receive_until("begun").await;
    other.deploy("two", &built("newer"), &[]).await.expect();
    until("the first host follows", async || (one.version_of("two").await == "v2").then_some(())).await;
    let version = one.status_of("two").await["versions"][0].clone();
    assert_eq!((&version["answered"], &version["instances"]), (&0.into(), &1.into()), "{version}");
    assert_eq!(one.client().get("/two").await.expect(200).text(), "newer");
    let lost = "SELECT count(*) FROM lost WHERE channel = 'plaza_versions'";
    assert_eq!(server.number("plaza", lost).await, 1, "it was told of it after all");
    drop((echo, other));
}

#[tokio::test]
async fn what_one_host_is_about_to_deploy_is_compiled_by_the_others_meanwhile() {
    let one = first();
    let other = another(&one);
    // It is refused where it is deployed, so nobody has another reason to compile it.
    one.deploy("products", &stamped("users", "astray"), &[]).await.refused(&["shop:products/inventory"]);
    let told = |host: &Host| host.stderr().text().matches("compiled what another host is about to deploy").count();
    until("the other host has compiled it", async || (told(&other) == 1).then_some(())).await;
    assert_eq!(told(&one), 0, "which did it for itself");
    assert_eq!((one.version_of("products").await, other.version_of("products").await), ("v1".into(), "v1".into()));
    drop(other);
}

#[tokio::test]
async fn of_two_deploys_at_once_both_go_through_one_after_the_other() {
    let one = first();
    let other = another(&one);
    let files = [stamped("products", "two"), stamped("products", "three")];
    let (here, there) = tokio::join!(one.deploy("products", &files[0], &[]), other.deploy("products", &files[1], &[]));
    here.expect();
    there.expect();
    until("both hosts serve the later one", async || {
        let both = [one.version_of("products").await, other.version_of("products").await];
        (both == ["v3", "v3"]).then_some(())
    })
    .await;
    drop(other);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_of_which_the_database_could_not_say_that_it_is_written_down_is_served_all_the_same() {
    let application = Application::new();
    let one = application.setup().start();
    let databases = Databases::of(&one);
    let cable = Cable::to(databases.port()).await;
    let address = one.setup().state().database_owner_url();
    let address = address.replace(&format!(":{}/", databases.port()), &format!(":{}/", cable.port()));
    let other = application.setup().argument("--database-url").argument(&address);
    let other = tokio::task::block_in_place(|| other.start());
    databases.execute("plaza", COMMITS_WAIT).await;
    let mut hold = Hold::by(&databases, "plaza", TURN).await;
    let deploying = other.begin_deploy("two", &built("newer"), &[]);
    hold.until_waiting(1).await;
    cable.cut();
    // Whether it was committed cannot be said before the row is free.
    hold.until_waiting(2).await;
    hold.let_go().await;
    assert!(deploying.went_through().await);
    assert_eq!(other.version_of("two").await, "v2");
    until("the first host follows", async || (one.version_of("two").await == "v2").then_some(())).await;
    drop(other);
}

#[tokio::test]
async fn any_host_that_sees_a_version_on_trial_fail_takes_it_back() {
    let application = Application::new();
    let one = application.setup().start();
    one.deploy("two", &built("newer"), &["--canary", "50%", "--canary-window", "1h"]).await.expect();
    let server = Databases::of(&one);
    // Whoever has it may promote; the host that comes later may not.
    let held = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'plaza lease trial/hosts/two'";
    until("the first host has the lease", async || (server.number("plaza", held).await == 1).then_some(())).await;
    let other = application.beside(&one);
    let client = other.client();
    until("the trial is over on both hosts", async || {
        // Version 1 answers 404 here, version 2 500.
        client.get("/two/worse").await;
        let over = async |host: &Host| host.status_of("two").await["versions"].as_array().map(Vec::len) == Some(1);
        (over(&other).await && over(&one).await).then_some(())
    })
    .await;
    assert_eq!(one.version_of("two").await, "v1");
    let history = one.operate(&["history", "two"]).await.expect().text;
    assert_eq!(history.matches("rolled back").count(), 1, "{history}");
    drop(other);
}

#[tokio::test]
async fn a_trial_is_judged_by_what_all_hosts_saw() {
    let application = Application::new();
    let one = application.setup().start();
    let other = application.beside(&one);
    one.deploy("two", &built("newer"), &[]).await.expect();
    until("the other host follows", async || (other.version_of("two").await == "v2").then_some(())).await;
    let trial = ["--canary", "50%", "--canary-window", "2s"];
    one.deploy("two", &stamped("newer", "as good"), &trial).await.expect();
    let (databases, counts) = (Databases::of(&one), "SELECT count(*) FROM trial_counts");
    until("both hosts watch it", async || (databases.number("plaza", counts).await == 2).then_some(())).await;
    // Whichever of the two may promote: neither is asked often enough to say anything by itself.
    let clients = [one.client(), other.client()];
    let answers = (0..80).map(|number| {
        let host = &clients[number % 2];
        async move {
            host.get("/two/slow?ms=200").header("x-plaza-sticky", &format!("client-{number}")).await.expect(200);
        }
    });
    join_all(answers).await;
    until("both hosts have promoted it", async || {
        (one.version_of("two").await == "v3" && other.version_of("two").await == "v3").then_some(())
    })
    .await;
    assert_eq!(databases.number("plaza", counts).await, 0);
    drop(other);
}

#[tokio::test]
async fn a_version_that_does_not_fit_a_hosts_manifest_is_not_served_there_and_the_operator_is_told() {
    let granted = Application::with("allowed_outbound_hosts = [\"http://127.0.0.1:*\"]\n");
    let one = granted.setup().start();
    let other = Application::new().beside(&one);
    one.deploy("two", &built("calls-forbidden-host"), &[]).await.expect();
    until("the other host tells of it", async || {
        let table = other.operate(&["status"]).await.expect().text;
        let told = table.lines().find(|line| line.starts_with("two should be answered by v2"))?;
        assert!(told.contains("wasi:http/client"), "{told}");
        Some(())
    })
    .await;
    assert_eq!(other.version_of("two").await, "v1");
    other.client().get("/two/hello").await.expect(200);
    other.operate(&["rollback", "two"]).await.refused(&["v2 of `two`", "cannot be served here", "wasi:http/client"]);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(other.stderr().text().matches("cannot be served here").count(), 1);
    one.operate(&["rollback", "two"]).await.expect();
    until("nothing is amiss any more", async || other.status_of("two").await["unserved"].is_null().then_some(())).await;
    one.deploy("two", &built("newer"), &[]).await.expect();
    until("the other host follows again", async || (other.version_of("two").await == "v3").then_some(())).await;
    drop(other);
}
