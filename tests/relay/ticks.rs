//! How often components are told that it is time.

use std::time::{Duration, Instant};

use plaza_tests::{Setup, wait::PATIENCE};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

use crate::{Stage, started};

/// Longer than any of those asked waits between two ticks of its own accord.
const PAUSE: Duration = Duration::from_secs(9);

/// The component that is asked for every five seconds.
const TICK: &str = "POST /internal/payments/tick ";

#[tokio::test]
async fn a_component_that_asks_for_a_pause_gets_it_before_the_next_tick() {
    let stage = Stage::set();
    // Somebody who is busy, in place of the application.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let url = stage.server.setup().state().database_owner_url();
    let _relay = started(Setup::relay("spin.toml", &target, &url)).await;
    let answer = format!(
        "HTTP/1.1 503 Busy\r\nretry-after: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        PAUSE.as_secs()
    );
    let mut ticks = Vec::new();
    while ticks.len() < 2 {
        let (mut stream, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
        let mut request = vec![0; 64 * 1024];
        let mut read = 0;
        while !request[..read].windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            let more = timeout(PATIENCE, stream.read(&mut request[read..])).await.unwrap().unwrap();
            assert!(more > 0, "closed in the midst of a request's head");
            read += more;
        }
        if request.starts_with(TICK.as_bytes()) {
            ticks.push(Instant::now());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    let between = ticks[1].duration_since(ticks[0]);
    assert!(between >= PAUSE, "{between:?}");
}
