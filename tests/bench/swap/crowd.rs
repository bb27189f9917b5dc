//! Clients that ask at a fixed rate, however long the answers take.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::mix::Mix;
use crate::connection::{Connection, Protocol};

/// How many clients ask in which way.
const CLIENTS: [(Protocol, Keeping, usize); 3] = [
    (Protocol::Http1, Keeping::Connection, 24),
    (Protocol::Http2, Keeping::Connection, 12),
    (Protocol::Http1, Keeping::Nothing, 4),
];

/// Whether a client keeps its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Connection,
    Nothing,
}

/// One request.
#[derive(Clone, Copy)]
pub struct Asked {
    /// When it was to be made.
    pub due: Instant,
    /// From then to the whole answer.
    pub took: Duration,
}

/// What the clients have seen.
#[derive(Default)]
pub struct Told {
    /// Good answers.
    pub good: Vec<Asked>,
    /// What else there was, in words.
    pub failures: Vec<String>,
    orders: usize,
}

impl Told {
    /// Orders that were confirmed, the one before the clients began among them.
    pub fn orders(&self) -> usize {
        self.orders + Mix::PLACED
    }
}

/// Clients at work.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    clients: tokio::task::JoinSet<Told>,
}

impl Crowd {
    /// Lets them begin: `rate` requests a second, all together.
    pub fn start(base: &str, mix: &Arc<Mix>, rate: u32) -> Self {
        let (stop, began) = (Arc::new(AtomicBool::new(false)), Instant::now());
        let all: usize = CLIENTS.iter().map(|(_, _, count)| count).sum();
        let every = Duration::from_secs(1) * u32::try_from(all).expect("few") / rate;
        let ways = CLIENTS.iter().flat_map(|(protocol, keeping, count)| vec![(*protocol, *keeping); *count]);
        let mut clients = tokio::task::JoinSet::new();
        for (place, (protocol, keeping)) in ways.enumerate() {
            let first = began + every * u32::try_from(place).expect("few") / u32::try_from(all).expect("few");
            let client = Client {
                address: base.trim_start_matches("http://").to_owned(),
                protocol,
                keeping,
                mix: mix.clone(),
                place: place * 7,
            };
            clients.spawn(client.go_on(first, every, stop.clone()));
        }
        Self { stop, clients }
    }

    /// Lets them come to an end.
    pub async fn stop(self) -> Told {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Told::default();
        for told in self.clients.join_all().await {
            all.good.extend(told.good);
            all.failures.extend(told.failures);
            all.orders += told.orders;
        }
        all
    }
}

struct Client {
    address: String,
    protocol: Protocol,
    keeping: Keeping,
    mix: Arc<Mix>,
    place: usize,
}

impl Client {
    /// Asks when it is due, one request after the other: who waits too long has more to catch up on, and the waiting counts.
    async fn go_on(mut self, first: Instant, every: Duration, stop: Arc<AtomicBool>) -> Told {
        let mut told = Told::default();
        let mut kept = None;
        let mut due = first;
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep_until(due.into()).await;
            match self.ask(&mut kept).await {
                Ok(ordered) => {
                    told.orders += usize::from(ordered);
                    told.good.push(Asked { due, took: due.elapsed() });
                }
                Err(failure) => told.failures.push(failure),
            }
            due += every;
        }
        told
    }

    async fn ask(&mut self, kept: &mut Option<Connection>) -> Result<bool, String> {
        self.place += 1;
        let (target, orders) = self.mix.at(self.place);
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(&self.address, self.protocol).await?,
        };
        // A server may end a connection that is at rest; then nothing was sent on it.
        if !connection.ready().await {
            connection = Connection::open(&self.address, self.protocol).await?;
        }
        target.ask(&mut connection).await?;
        if self.keeping == Keeping::Connection {
            *kept = Some(connection);
        }
        Ok(orders)
    }
}
