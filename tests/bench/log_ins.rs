//! People who log in while others are being measured.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use plaza_tests::{
    Client, Shop,
    shop::{PASSWORD, log_in},
};

/// How many log in at once, each again and again.
pub const CLIENTS: usize = 8;

/// Clients that log in until they are stopped.
pub struct LogIns {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl LogIns {
    /// Registers the clients and lets them begin.
    pub async fn start(shop: &Shop) -> Self {
        let mut customers = Vec::new();
        for _ in 0..CLIENTS {
            customers.push((shop.anyone(), shop.customer().await.email));
        }
        let (stop, done) = (Arc::default(), Arc::default());
        let clients = customers
            .into_iter()
            .map(|(client, email)| tokio::spawn(go_on(client, email, Arc::clone(&stop), Arc::clone(&done))))
            .collect();
        Self { stop, done, clients }
    }

    /// Lets the clients come to an end, and returns how often they have logged in.
    pub async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.await.expect("no log-in was refused");
        }
        self.done.load(Ordering::Relaxed)
    }
}

async fn go_on(client: Client, email: String, stop: Arc<AtomicBool>, done: Arc<AtomicUsize>) {
    while !stop.load(Ordering::Relaxed) {
        log_in(&client, &email, PASSWORD).await;
        done.fetch_add(1, Ordering::Relaxed);
    }
}
