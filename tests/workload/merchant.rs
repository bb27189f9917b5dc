//! What the merchant does meanwhile.

use std::sync::atomic::Ordering;

use plaza_tests::{Answer, Client, client::Call, patient::Patient, shop::id_of};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::{World, keyed};

/// Does something after each visit, until the last one is over.
pub async fn mind_the_shop(world: &World, client: &Client, mut random: StdRng) {
    while !world.is_over() {
        world.visited(world.visits.load(Ordering::Relaxed) + 1).await;
        match random.random_range(0..100) {
            0..35 => refund(world, client, &mut random).await,
            35..50 => move_on(world, client, &mut random, "paid", "ship").await,
            50..60 => move_on(world, client, &mut random, "shipped", "deliver").await,
            60..70 => move_on(world, client, &mut random, "paid", "cancel").await,
            70..85 => restock(world, client, &mut random).await,
            85..95 => reprice(world, client, &mut random).await,
            _ => archive_for_a_while(world, client, &mut random).await,
        }
    }
}

/// Gives back a part of a payment, or all that is left of it.
async fn refund(world: &World, client: &Client, random: &mut StdRng) {
    let payments = ask(client, |client| client.get("/api/v1/payments?limit=30"), &[200]).await.json();
    let payments: Vec<&Value> =
        payments.as_array().expect("a list").iter().filter(|payment| payment["status"] == "succeeded").collect();
    let Some(payment) = payments.choose(random) else { return };
    let body = match random.random_range(0..4) {
        0 => json!({"reason": "all of it"}),
        _ => json!({"amount": random.random_range(1..=300) as f64 / 100.0, "reason": "a part"}),
    };
    let path = format!("/api/v1/payments/{}/refunds", id_of(payment));
    let answer = keyed::post(world, client, random, &path, &body, &[201, 409]).await;
    world.tally.note(format!("refund: {}", answer.status));
}

/// Ships, delivers or cancels an order that stands at `status`; it may have moved on since it was looked up.
async fn move_on(world: &World, client: &Client, random: &mut StdRng, status: &str, step: &str) {
    let list = format!("/api/v1/orders?status={status}&limit=20");
    let orders = ask(client, |client| client.get(&list), &[200]).await.json();
    let Some(order) = orders.as_array().expect("a list").choose(random) else { return };
    let path = format!("/api/v1/orders/{}/{step}", id_of(order));
    let shipment = json!({"carrier": "Mule", "tracking": "M-17"});
    let call = |client: &Client| match step {
        "ship" => client.post(&path, &shipment),
        _ => client.request("POST", &path),
    };
    let answer = ask(client, call, &[200, 409]).await;
    world.tally.note(format!("merchant, {step}: {}", answer.status));
}

/// Brings or takes pieces; never more than are free.
async fn restock(world: &World, client: &Client, random: &mut StdRng) {
    let path = format!("{}/stock", product(world, random));
    let delta = [20, 20, 20, -5, -100].choose(random).expect("not empty");
    let body = json!({"delta": delta, "reason": "count"});
    let answer = ask(client, |client| client.post(&path, &body), &[200, 409]).await;
    world.tally.note(format!("merchant, stock: {}", answer.status));
}

async fn reprice(world: &World, client: &Client, random: &mut StdRng) {
    let (path, minor) = (product(world, random), random.random_range(1..=5000));
    let body = json!({"price": f64::from(minor) / 100.0});
    ask(client, |client| client.patch(&path, &body), &[200]).await;
    world.tally.note("merchant, prices");
}

async fn archive_for_a_while(world: &World, client: &Client, random: &mut StdRng) {
    let path = product(world, random);
    ask(client, |client| client.request("DELETE", &path), &[204]).await;
    world.visited(world.visits.load(Ordering::Relaxed) + 2).await;
    ask(client, |client| client.patch(&path, &json!({"active": true})), &[200]).await;
    world.tally.note("merchant, archived for a while");
}

fn product(world: &World, random: &mut StdRng) -> String {
    format!("/api/v1/products/{}", world.products.choose(random).expect("not empty"))
}

async fn ask(client: &Client, call: impl Fn(&Client) -> Call, wanted: &[u16]) -> Answer {
    Patient { client, passing: keyed::PASSING }.persist(call, wanted).await
}
