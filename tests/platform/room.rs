//! Room for instances in the whole process: who finds none waits until one ends, in its component's queue.

use std::time::{Duration, Instant};

use futures::future::join_all;
use plaza_tests::{Host, Setup, until, wire::Wire};

/// A host that has room for two instances, both of which are taken.
struct Full {
    host: Host,
    /// Holds an instance of `hello`.
    echo: Wire,
    /// Holds an instance of `abandoned`.
    slow: Wire,
}

impl Full {
    async fn start() -> Self {
        let host = Setup::of("tests/apps/bounds/spin.toml").argument("--instances").argument("2").start();
        let mut echo = Wire::connect(host.base()).await;
        echo.send("POST /hello/echo HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n").await;
        echo.send_chunk("begun").await;
        echo.receive_until("begun").await;
        let mut slow = Wire::connect(host.base()).await;
        slow.send("GET /abandoned/slow-ok?ms=50000 HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
        until("the other is taken", async || (host.in_flight_of("abandoned").await == 1).then_some(())).await;
        Self { host, echo, slow }
    }
}

#[tokio::test]
async fn a_request_waits_for_an_instance_of_the_process_in_its_components_queue() {
    let Full { host, echo, slow } = Full::start().await;
    let client = host.client();
    let asking = join_all((0..32).map(|_| async { client.get("/narrow/ok").await }));
    let making_room = async {
        let waits = async || (host.status_of("narrow").await["waiting"].as_i64() > Some(0)).then_some(());
        until("somebody waits", waits).await;
        drop(slow);
    };
    let (answers, ()) = tokio::join!(asking, making_room);
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(!served.is_empty() && !refused.is_empty(), "{} served, {} refused", served.len(), refused.len());
    for answer in refused {
        assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{:?}", answer.header("retry-after"));
        answer.problem(503);
    }
    drop(echo);
}

#[tokio::test]
async fn instances_that_stand_idle_make_room_for_those_who_wait() {
    let host = Setup::of("tests/apps/bounds/spin.toml").argument("--instances").argument("2").start();
    let client = host.client();
    for _ in 0..3 {
        for path in ["/hello", "/narrow/ok", "/abandoned/ok", "/old-world", "/single/none"] {
            let answers = join_all((0..8).map(|_| async { client.get(path).await.status })).await;
            assert!(answers.iter().any(|status| *status != 503), "{path}: {answers:?}");
        }
        // This one has a queue for all of them, and an instance for each.
        let answers = join_all((0..32).map(|_| async { client.get("/old-world").await.status })).await;
        assert_eq!(answers, [200; 32]);
    }
}

#[tokio::test]
async fn a_request_whose_time_is_over_before_it_has_begun_may_be_sent_again() {
    let Full { host, echo, slow } = Full::start().await;
    let start = Instant::now();
    let answer = host.client().get("/brief/none").await;
    assert!(start.elapsed() > Duration::from_secs(3), "it waited for an instance: {:?}", start.elapsed());
    assert!(answer.header("retry-after").parse::<u32>().is_ok(), "{:?}", answer.header("retry-after"));
    answer.problem(503);
    drop((slow, echo));
}
