//! Replaced again and again under load: nothing is lost.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use plaza_tests::{
    Host,
    artifact::{built, stamped},
};

use crate::host;

const CLIENTS: usize = 16;

/// Asks `path` on many connections until it is told to stop; returns how many answers there were, all of them good.
fn ask_on(host: &Host, path: &'static str, good: fn(&str) -> bool) -> (Arc<AtomicBool>, tokio::task::JoinSet<u64>) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, stop) = (host.client(), stop.clone());
        asking.spawn(async move {
            let mut count = 0;
            while !stop.load(Ordering::Relaxed) {
                let answer = client.request("POST", path).await;
                assert!(answer.status == 200 && good(&answer.text()), "{} {}", answer.status, answer.text());
                count += 1;
            }
            count
        });
    }
    (stop, asking)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_a_component_is_replaced_twenty_times() {
    let host = host();
    let (stop, asking) = ask_on(&host, "/hello", |text| text == "hello" || text == "newer");
    for round in 0..20 {
        let file = if round % 2 == 0 { built("newer") } else { built("hello") };
        let done = host.deploy("hello", &file, &[]).await.expect();
        assert!(done.text.contains("nothing was cut off"), "{}", done.text);
    }
    stop.store(true, Ordering::Relaxed);
    let answers: u64 = asking.join_all().await.into_iter().sum();
    println!("{answers} answers over 20 swaps, all good");
    let status = host.status_of("hello").await;
    assert_eq!((&status["version"], &status["failed"]), (&"v21".into(), &0.into()), "{status}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_lost_while_both_ends_of_a_link_are_replaced() {
    let host = host();
    let (stop, asking) = ask_on(&host, "/calls/n?count=20", |text| text.starts_with("20 calls"));
    for round in 0..10 {
        let stamp = round.to_string();
        let both = [("echoes", stamped("echoes", &stamp)), ("calls", stamped("calls", &stamp))];
        for (component, file) in &both {
            host.deploy(component, file, &[]).await.expect();
        }
    }
    stop.store(true, Ordering::Relaxed);
    let answers: u64 = asking.join_all().await.into_iter().sum();
    println!("{answers} answers of 20 calls each over 20 swaps, all good");
    for component in ["echoes", "calls"] {
        let status = host.status_of(component).await;
        assert_eq!((&status["version"], &status["failed"]), (&"v11".into(), &0.into()), "{status}");
    }
}
