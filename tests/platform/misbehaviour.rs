//! A guest that misbehaves ends its own request and nothing else: the neighbour `hello` is served all the while.

use std::time::{Duration, Instant};

use futures::future::join_all;
use plaza_tests::{Answer, Client, Setup, artifact::with_memory, wait::PATIENCE};

use crate::{client, host};

/// The slowest answer of a neighbour that still counts as being served, on a machine busy with other tests.
const NEIGHBOUR_PATIENCE: Duration = Duration::from_secs(5);

/// Sends the bad requests together with good ones to the neighbour; all of the latter must be answered.
async fn beside_a_neighbour(paths: &[&str]) -> Vec<Answer> {
    let client = client();
    let bad = join_all(paths.iter().map(|path| async { client.get(path).await }));
    let good = join_all((0..4).map(|_| neighbour(&client)));
    let (answers, _) = tokio::join!(bad, good);
    neighbour(&client).await;
    answers
}

/// Asks the neighbour a hundred times.
async fn neighbour(client: &Client) {
    for _ in 0..100 {
        let start = Instant::now();
        assert_eq!(client.get("/hello").await.expect(200).text(), "hello");
        assert!(start.elapsed() < NEIGHBOUR_PATIENCE, "the neighbour waited {:?}", start.elapsed());
    }
}

/// Waits for a log line about the request that was answered so which has all these words.
#[track_caller]
fn is_told(answer: &Answer, words: &[&str]) {
    let request = answer.header("x-request-id");
    assert!(!request.is_empty());
    let is_it = |line: &String| line.contains(request) && words.iter().all(|word| line.contains(word));
    let found = host().stderr().find(PATIENCE, || false, |lines| lines.iter().any(is_it).then_some(()));
    assert!(found.is_some(), "no line says {words:?} of {request}");
}

const ENDED: &str = "an instance ended before its time";
const GIVEN_UP: &str = "a guest was given up";

#[tokio::test]
async fn a_trap_is_a_500_with_a_request_id_and_a_backtrace_in_the_log() {
    let answers = beside_a_neighbour(&["/traps/panic", "/traps/unreachable"]).await;
    // Function names, not offsets.
    for (answer, function) in answers.into_iter().zip(["traps::fall_over", "traps"]) {
        is_told(&answer, &[ENDED, "wasm backtrace", function]);
        let request = answer.header("x-request-id").to_owned();
        let problem = answer.problem(500);
        assert!(problem.to_string().contains(&request), "{problem}");
    }
    assert_eq!(client().get("/traps/ok").await.expect(200).text(), "ok");
}

#[tokio::test]
async fn a_loop_without_end_is_stopped_at_its_deadline() {
    for answer in beside_a_neighbour(&["/loops-forever"; 3]).await {
        // One that waits behind a loop until its own deadline has not begun, and may be sent again.
        if !answer.header("retry-after").is_empty() {
            answer.problem(503);
            continue;
        }
        is_told(&answer, &[ENDED, "wasm backtrace", "loops_forever"]);
        answer.problem(504);
    }
}

#[tokio::test]
async fn a_component_that_never_answers_is_given_up_at_its_deadline() {
    for answer in beside_a_neighbour(&["/never-answers"; 8]).await {
        is_told(&answer, &[GIVEN_UP, "\"never-answers\"", "\"v1\""]);
        answer.problem(504);
    }
}

#[tokio::test]
async fn memory_ends_at_the_limit() {
    assert_eq!(client().get("/eats-memory?mib=4").await.expect(200).text(), "4 MiB");
    for answer in beside_a_neighbour(&["/eats-memory"; 3]).await {
        answer.problem(500);
    }
    assert_eq!(client().get("/eats-memory?mib=4").await.expect(200).text(), "4 MiB");
}

#[tokio::test]
async fn memory_ends_at_the_limit_however_many_memories_it_is_divided_into() {
    let host = Setup::platform().start();
    let client = host.client();
    client.get("/eats-memory?mib=16").await.expect(200);
    host.deploy("eats-memory", &with_memory("eats-memory", 20), &[]).await.expect();
    client.get("/eats-memory?mib=4").await.expect(200);
    client.get("/eats-memory?mib=16").await.problem(500);
    let refused = host.deploy("eats-memory", &with_memory("eats-memory", 33), &[]).await;
    refused.refused(&["memory"]);
}

#[tokio::test]
async fn a_flood_of_output_neither_fills_the_log_nor_stops_the_neighbour() {
    let before = host().all_output().len();
    for answer in beside_a_neighbour(&["/floods-output/lines?mib=32", "/floods-output/line?mib=32"]).await {
        answer.expect(200);
    }
    let logged = host().all_output().len() - before;
    assert!(logged < 16 * 1024 * 1024, "{logged} bytes were logged of 64 MiB");
}

#[tokio::test]
async fn a_trap_in_one_request_spares_the_next_ones() {
    let client = client();
    for _ in 0..20 {
        client.get("/traps/panic").await.problem(500);
        client.get("/traps/ok").await.expect(200);
    }
}

#[tokio::test]
async fn a_trap_ends_its_siblings_of_which_one_that_may_be_repeated_is() {
    // On one core, so that all of them come to one instance, and with more time than it takes to bring them there.
    let host = Setup::of("tests/apps/bounds/spin.toml").argument("--cores").argument("1").start();
    let client = host.client();
    let path = "/abandoned/slow-ok?ms=9000";
    let repeatable = async { client.get(path).await };
    let other = async { client.request("POST", path).await };
    let trapping = async {
        let both = async || (host.in_flight_of("abandoned").await == 2).then_some(());
        plaza_tests::until("both are being served", both).await;
        client.get("/abandoned/panic").await
    };
    let (repeated, other, trapped) = tokio::join!(repeatable, other, trapping);
    trapped.problem(500);
    other.problem(500);
    assert_eq!(repeated.expect(200).text(), "slow ok");
}
