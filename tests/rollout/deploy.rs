//! One version in place of another.

use std::{
    num::NonZero,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use plaza_tests::{
    artifact::{built, stamped},
    setup::plaza,
    wait::PATIENCE,
    wire::Wire,
};
use tokio::{process::Command, time::timeout};

use crate::{greeting, host, setup};

#[tokio::test]
async fn a_deploy_shows_its_steps_and_the_new_version_answers() {
    let host = host();
    assert_eq!((greeting(&host).await.as_str(), host.version_of("hello").await.as_str()), ("hello", "v1"));
    let done = host.deploy("hello", &built("newer"), &["--probe", "/hello"]).await.expect();
    for word in ["compile", "contract", "keep", "instantiate", "probe", "switch", "drain", "hello: v2 answers"] {
        assert!(done.text.contains(word), "no {word:?} in: {}", done.text);
    }
    assert_eq!((greeting(&host).await.as_str(), host.version_of("hello").await.as_str()), ("newer", "v2"));
}

#[tokio::test]
async fn another_host_is_reached_by_its_address_and_a_file_with_its_token() {
    let (here, elsewhere) = (host(), host());
    let file = std::fs::read_to_string(elsewhere.setup().state().path().join("control.json")).unwrap();
    let file: serde_json::Value = serde_json::from_str(&file).unwrap();
    let token = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(token.path(), format!("{}\n", file["token"].as_str().unwrap())).unwrap();
    let there = ["--control", elsewhere.control_address(), "--token-file", token.path().to_str().unwrap()];
    here.deploy("hello", &built("newer"), &there).await.expect();
    assert_eq!((greeting(&here).await.as_str(), greeting(&elsewhere).await.as_str()), ("hello", "newer"));
}

#[tokio::test]
async fn deploying_the_same_bytes_again_is_a_full_swap() {
    let host = host();
    let before = host.status_of("hello").await;
    host.deploy("hello", &built("hello"), &[]).await.expect();
    let after = host.status_of("hello").await;
    assert_eq!((&after["version"], &after["hash"]), (&"v2".into(), &before["hash"]));
}

#[tokio::test]
async fn a_request_in_flight_finishes_on_the_version_where_it_began() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    let client = host.client();
    let slow = tokio::spawn(async move { client.get("/hello/slow?ms=5000").await.expect(200).text() });
    plaza_tests::until("the slow request is under way", async || (host.in_flight_of("hello").await == 1).then_some(()))
        .await;
    let back = host.deploy("hello", &built("hello"), &[]).await.expect();
    assert!(back.text.contains("nothing was cut off"), "{}", back.text);
    assert_eq!(slow.await.unwrap(), "newer");
    assert_eq!(greeting(&host).await, "hello");
}

#[tokio::test]
async fn a_stream_that_has_begun_goes_on_where_it_began_until_it_ends() {
    let host = host();
    let mut echo = Wire::connect(host.base()).await;
    echo.send("POST /hello/echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
    echo.send_chunk("before").await;
    echo.receive_until("before").await;
    let mut deploying = host.begin_deploy("hello", &built("newer"), &[]);
    deploying.until_done("switch").await;
    assert_eq!(greeting(&host).await, "newer");
    echo.send_chunk("after").await;
    echo.receive_until("after").await;
    echo.send("0\r\n\r\n").await;
    echo.receive_until("\r\n0\r\n\r\n").await;
    assert!(deploying.went_through().await);
    let drained = plaza_tests::until("the log tells of its end", async || {
        host.stderr().text().lines().find(|line| line.contains("drained")).map(str::to_owned)
    });
    assert!(drained.await.contains("v1"));
}

#[tokio::test]
async fn what_does_not_finish_within_the_time_to_drain_is_cut_off_and_counted() {
    let host = host();
    host.deploy("hello", &built("newer"), &[]).await.expect();
    let client = host.client();
    // Not a GET: that would be asked once more, of the new version.
    let slow = tokio::spawn(async move { client.request("POST", "/hello/slow?ms=20000").await });
    plaza_tests::until("the slow request is under way", async || (host.in_flight_of("hello").await == 1).then_some(()))
        .await;
    let back = host.deploy("hello", &built("hello"), &["--drain-timeout", "200ms"]).await.expect();
    assert!(back.text.contains("1 were cut off"), "{}", back.text);
    slow.await.unwrap().problem(500);
    plaza_tests::until("the log tells of it", async || {
        host.stderr().text().contains("cut off at the end of the time to drain").then_some(())
    })
    .await;
}

#[tokio::test]
async fn links_go_to_the_new_version_of_a_provider_and_the_caller_is_not_touched() {
    let host = host();
    let client = host.client();
    client.get("/calls/n?count=10").await.expect(200);
    host.deploy("echoes", &stamped("echoes", "two"), &[]).await.expect();
    let answer = client.get("/calls/n?count=10").await.expect(200).text();
    assert!(answer.starts_with("10 calls"), "{answer}");
    let versions = (host.version_of("echoes").await, host.version_of("calls").await);
    assert_eq!(versions, ("v2".to_owned(), "v1".to_owned()));
    assert_eq!(host.status_of("echoes").await["versions"][0]["answered"], 10);
}

#[tokio::test]
async fn the_access_log_names_the_version_that_answered() {
    let host = host();
    host.client().get("/hello").header("x-request-id", "first").await.expect(200);
    host.deploy("hello", &built("newer"), &[]).await.expect();
    host.client().get("/hello").header("x-request-id", "second").await.expect(200);
    let version_in = |id: &str| {
        let log = host.stderr().text();
        let line = log.lines().find(|line| line.contains(&format!("\"request.id\":\"{id}\""))).map(str::to_owned);
        line.and_then(|line| serde_json::from_str::<serde_json::Value>(&line).ok()).map(|line| line["version"].clone())
    };
    plaza_tests::until("both requests are in the log", async || {
        (version_in("first")? == "v1" && version_in("second")? == "v2").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_command_ends_without_a_complaint_when_its_reader_has_seen_enough() {
    let host = host();
    let mut watching = Command::new(plaza())
        .args(["status", "--watch", "--state-dir"])
        .arg(host.setup().state().path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    drop(watching.stdout.take());
    let ended = timeout(PATIENCE, watching.wait_with_output()).await.expect("it ends").unwrap();
    // As of a program that SIGPIPE has ended.
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}

/// Whoever installs a new version of the program takes the old one's file away under a host that goes on.
#[tokio::test]
async fn a_host_compiles_after_its_program_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("plaza");
    let script = format!("program=$1; shift; cp \"$program\" '{0}' && exec '{0}' \"$@\"", program.display());
    let host = setup().run_by(&["sh", "-c", &script, "sh"]).start();
    std::fs::remove_file(&program).unwrap();
    let done = host.deploy("hello", &stamped("newer", "after an update"), &[]).await.expect();
    assert!(done.text.contains("ms   compiled\n"), "{}", done.text);
    assert_eq!(greeting(&host).await, "newer");
}

/// What the compiler is left of such a machine would take it hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deploy_goes_through_though_no_core_is_ever_idle() {
    let host = host();
    let _busy = Busy::cores();
    let file = stamped("newer", "on a busy machine");
    let done = timeout(PATIENCE, host.deploy("hello", &file, &[])).await.expect("it comes to an end").expect();
    assert!(done.text.contains("ms   compiled\n"), "{}", done.text);
    assert_eq!(greeting(&host).await, "newer");
}

/// Keeps every core of the machine busy until it is dropped.
struct Busy(Arc<AtomicBool>);

impl Busy {
    fn cores() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        // Two for each, so that none is free while one of them is moved.
        for _ in 0..2 * std::thread::available_parallelism().map_or(1, NonZero::get) {
            let over = over.clone();
            std::thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(over)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
