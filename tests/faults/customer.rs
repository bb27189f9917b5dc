//! What customers do: they order without waiting for anything, and pay as soon as there is something to pay.

use std::sync::atomic::Ordering;

use plaza_tests::{
    Client,
    patient::{PATIENCE, Patient},
    shop::{fresh_key, id_of, order_body},
    until_within,
};
use serde_json::json;
use tokio::sync::mpsc;

use crate::World;

/// What may be answered while a host or a database is away. That something is broken is never a good answer.
const PASSING: &[u16] = &[503, 504];

/// Of so many orders one is cancelled.
pub const CANCELLED_OF: usize = 10;

/// Buys until everybody together has begun as many orders as are wanted.
pub async fn buy(world: &World, client: &Client) {
    let (placed, mut waiting) = mpsc::unbounded_channel();
    let place = async {
        // Dropped at the end, so that the other half ends too.
        let placed = placed;
        loop {
            let number = world.begun.fetch_add(1, Ordering::Relaxed);
            if number >= world.wanted {
                return;
            }
            world.has_room(number).await;
            let order = place(world, client, number).await;
            placed.send((number, order)).expect("somebody waits for it");
        }
    };
    let finish = async {
        while let Some((number, order)) = waiting.recv().await {
            match number % CANCELLED_OF {
                0 => cancel(client, order).await,
                _ => pay(client, order).await,
            }
            world.finished.fetch_add(1, Ordering::Relaxed);
        }
    };
    tokio::join!(place, finish);
}

async fn place(world: &World, client: &Client, number: usize) -> i64 {
    let (body, key) = (order_body(&[(world.products[number % world.products.len()], 1)]), fresh_key());
    let order = patient(client).persist(|client| client.post("/api/v1/orders", &body).key(&key), &[201]).await.json();
    let id = id_of(&order);
    assert!(world.accepted.lock().unwrap().insert(id), "two keys made order {id}");
    id
}

/// Pays as soon as the order's event has opened a payment.
async fn pay(client: &Client, order: i64) {
    let list = format!("/api/v1/payments?orderId={order}");
    let payment = until_within(PATIENCE, &format!("order {order} has a payment"), async || {
        patient(client).persist(|client| client.get(&list), &[200]).await.json().get(0).map(id_of)
    })
    .await;
    let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
    let token = json!({"token": "tok_ok"});
    patient(client).persist(|client| client.post(&path, &token).key(&key), &[200, 202]).await;
}

async fn cancel(client: &Client, order: i64) {
    let path = format!("/api/v1/orders/{order}/cancel");
    // Where the answer was lost, the order says that it is cancelled already.
    patient(client).persist(|client| client.request("POST", &path), &[200, 409]).await;
}

fn patient(client: &Client) -> Patient<'_> {
    Patient { client, passing: PASSING }
}
