//! A guest that misbehaves ends its own request and nothing else: the neighbour `hello` is served all the while.

use std::time::{Duration, Instant};

use futures::future::join_all;
use plaza_tests::{Answer, Client};

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

#[tokio::test]
async fn a_trap_is_a_500_with_a_request_id_and_a_backtrace_in_the_log() {
    for answer in beside_a_neighbour(&["/traps/panic", "/traps/unreachable"]).await {
        let request = answer.header("x-request-id").to_owned();
        assert!(!request.is_empty());
        let problem = answer.problem(500);
        assert!(problem.to_string().contains(&request), "{problem}");
        host().stderr().line_with(&request);
    }
    // Function names, not offsets.
    host().stderr().line_with("traps::fall_over");
    assert_eq!(client().get("/traps/ok").await.expect(200).text(), "ok");
}

#[tokio::test]
async fn a_loop_without_end_is_stopped_at_its_deadline() {
    for answer in beside_a_neighbour(&["/loops-forever"; 3]).await {
        answer.problem(504);
    }
}

#[tokio::test]
async fn a_component_that_never_answers_is_given_up_at_its_deadline() {
    for answer in beside_a_neighbour(&["/never-answers"; 8]).await {
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
