//! Requests, as many as can be answered, over a fixed number of connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};

use crate::{
    connection::{Connection, Protocol},
    number_from_environment,
};

/// How hard and how long to ask.
#[derive(Clone, Copy)]
pub struct Load {
    /// Connections, each with one request under way.
    pub connections: usize,
    /// How long each figure is taken.
    pub time: Duration,
}

/// What is asked.
#[derive(Clone)]
pub struct Target {
    address: String,
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    bodies: Arc<Vec<Bytes>>,
    keyed: bool,
}

/// What came of it.
#[derive(Clone, Copy)]
pub struct Rate {
    /// Good answers in a second.
    pub per_second: f64,
    /// Half of the answers took no longer.
    pub median: Duration,
    /// 99 of 100 took no longer.
    pub p99: Duration,
}

impl Target {
    /// A GET.
    pub fn get(base: &str, path: &str) -> Self {
        Self {
            address: base.trim_start_matches("http://").to_owned(),
            method: Method::GET,
            path: path.to_owned(),
            headers: Vec::new(),
            bodies: Arc::new(vec![Bytes::new()]),
            keyed: false,
        }
    }

    /// A POST of each of these JSON texts in turn, as the owner of `token`, each time under a fresh `Idempotency-Key`.
    pub fn post(base: &str, path: &str, token: &str, bodies: Vec<String>) -> Self {
        Self {
            method: Method::POST,
            headers: vec![("content-type", "application/json".to_owned())],
            bodies: Arc::new(bodies.into_iter().map(Bytes::from).collect()),
            keyed: true,
            ..Self::get(base, path)
        }
        .with_token(token)
    }

    /// The same as the owner of `token`.
    pub fn with_token(mut self, token: &str) -> Self {
        self.headers.push(("authorization", format!("Bearer {token}")));
        self
    }

    /// Where it is asked: `host:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks once, and reads the answer to its end.
    ///
    /// # Errors
    /// What went wrong, or the answer that was none of success, in words.
    pub async fn ask(&self, connection: &mut Connection) -> Result<(), String> {
        let said = |error: hyper::Error| format!("{} {}: {error:?}", self.method, self.path);
        let answer = connection.send(self.request()).await.map_err(said)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(said)?.to_bytes();
        if status.is_success() {
            return Ok(());
        }
        Err(format!("{} {}: {status}: {}", self.method, self.path, String::from_utf8_lossy(&body)))
    }

    fn request(&self) -> Request<Full<Bytes>> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let body = self.bodies[usize::try_from(number).expect("64 bits") % self.bodies.len()].clone();
        let mut request = Request::builder().method(&self.method).uri(&self.path).header("host", &self.address);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if self.keyed {
            request = request.header("idempotency-key", format!("bench-{number}"));
        }
        request.body(Full::new(body)).expect("a valid request")
    }
}

impl Rate {
    /// So many in a second, which took these times.
    pub fn of(per_second: f64, mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let place = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        Self { per_second, median: place(0.5), p99: place(0.99) }
    }
}

impl Load {
    /// 32 connections, `BENCH_SECONDS` seconds.
    pub fn from_environment() -> Self {
        let seconds = number_from_environment("BENCH_SECONDS", 5);
        Self { connections: 32, time: Duration::from_secs(seconds as u64) }
    }

    /// Measures the one, then the other, each after a short warm-up.
    pub async fn compare(&self, targets: [Target; 2]) -> [Rate; 2] {
        let [first, second] = targets;
        [self.measure(first).await, self.measure(second).await]
    }

    /// Measures one, after a short warm-up.
    pub async fn measure(&self, target: Target) -> Rate {
        self.run(&target, self.time.min(Duration::from_secs(1))).await;
        let times = self.run(&target, self.time).await;
        Rate::of(times.len() as f64 / self.time.as_secs_f64(), times)
    }

    /// The time of every answer.
    async fn run(&self, target: &Target, time: Duration) -> Vec<Duration> {
        let deadline = Instant::now() + time;
        let tasks: Vec<_> = (0..self.connections).map(|_| tokio::spawn(ask(target.clone(), deadline))).collect();
        let mut times = Vec::new();
        for task in tasks {
            times.extend(task.await.expect("no answer was bad"));
        }
        times
    }
}

/// Asks over one connection until the deadline. A bad answer ends the benchmark: its figure would mean nothing.
async fn ask(target: Target, deadline: Instant) -> Vec<Duration> {
    let open = || async { Connection::open(&target.address, Protocol::Http1).await.expect("it listens") };
    let mut connection = open().await;
    let mut times = Vec::new();
    while Instant::now() < deadline {
        let start = Instant::now();
        target.ask(&mut connection).await.expect("a good answer");
        times.push(start.elapsed());
        if !connection.ready().await {
            connection = open().await;
        }
    }
    times
}
