//! What customers do.

use std::sync::atomic::Ordering;

use plaza_tests::{
    Answer, Client,
    client::Call,
    patient::{PATIENCE, Patient},
    sandbox,
    shop::id_of,
    until_within,
};
use rand::{
    RngExt,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};
use serde_json::{Value, json};

use crate::{World, keyed};

/// The sandbox's tokens, and how many of a hundred customers have each.
const TOKENS: [(&str, u32); 5] =
    [("tok_ok", 55), ("tok_declined", 15), ("tok_flaky", 12), ("tok_timeout", 8), ("tok_3ds", 10)];

/// Comes so many times.
pub async fn shop_around(world: &World, client: &Client, visits: usize, mut random: StdRng) {
    for _ in 0..visits {
        visit(world, client, &mut random).await;
        world.tally.note("visits");
        world.visits.fetch_add(1, Ordering::Relaxed);
    }
}

async fn visit(world: &World, client: &Client, random: &mut StdRng) {
    browse(world, client, random).await;
    let Some(order) = place(world, client, random).await else { return };
    let payment = payment_of(client, order).await;
    match random.random_range(0..100) {
        0..60 => pay(world, client, random, payment).await,
        60..72 => {
            pay(world, client, random, payment).await;
            cancel(world, client, order).await;
        }
        72..80 => {
            tokio::join!(pay(world, client, random, payment), cancel(world, client, order));
        }
        80..90 => cancel(world, client, order).await,
        _ => world.tally.note("orders left to expire"),
    }
    let path = format!("/api/v1/orders/{order}/history");
    ask(client, |client| client.get(&path), &[200]).await;
}

async fn browse(world: &World, client: &Client, random: &mut StdRng) {
    let sort = ["created", "-created", "price", "-price", "name"].choose(random).expect("not empty");
    let list = format!("/api/v1/products?sort={sort}&limit={}", random.random_range(1..=20));
    ask(client, |client| client.get(&list), &[200]).await;
    let product = format!("/api/v1/products/{}", world.products.choose(random).expect("not empty"));
    // It may be archived just now.
    ask(client, |client| client.get(&product), &[200, 404]).await;
}

/// An order of one to three products; now and then of more than there is, or of something that never was.
async fn place(world: &World, client: &Client, random: &mut StdRng) -> Option<i64> {
    let mut products = world.products.clone();
    products.shuffle(random);
    products.truncate(random.random_range(1..=3));
    let mut items: Vec<Value> = Vec::new();
    for product in products {
        let quantity = if random.random_range(0..100) < 3 { 1000 } else { random.random_range(1..=3) };
        items.push(json!({"productId": product, "quantity": quantity}));
    }
    if random.random_range(0..100) < 3 {
        items.push(json!({"productId": 999_999, "quantity": 1}));
    }
    let answer = keyed::post(world, client, random, "/api/v1/orders", &json!({"items": items}), &[201, 409, 422]).await;
    world.tally.note(format!("order: {}", answer.status));
    (answer.status == 201).then(|| id_of(&answer.json()))
}

/// The payment that the order's event opens.
async fn payment_of(client: &Client, order: i64) -> i64 {
    let path = format!("/api/v1/payments?orderId={order}");
    until_within(PATIENCE, &format!("order {order} has a payment"), async || {
        ask(client, |client| client.get(&path), &[200]).await.json().get(0).map(id_of)
    })
    .await
}

/// Tries one token after another until one is taken, or patience ends.
async fn pay(world: &World, client: &Client, random: &mut StdRng, payment: i64) {
    let stubborn = random.random_range(0..100) < 5;
    let path = format!("/api/v1/payments/{payment}/confirm");
    for attempt in 1..=if stubborn { 5 } else { 3 } {
        let token = if stubborn { "tok_declined" } else { token(random) };
        let body = json!({"token": token});
        let answer = keyed::post(world, client, random, &path, &body, &[200, 202, 402, 409]).await;
        world.tally.note(format!("confirm {token}: {}", answer.status));
        match answer.status {
            402 => continue,
            202 if answer.text().contains("actionUrl") => act(world, random, payment, attempt).await,
            _ => {}
        }
        return;
    }
}

/// The customer acts where the provider asked for it, or never does; the provider tells the shop how it ended, sometimes twice.
async fn act(world: &World, random: &mut StdRng, payment: i64, attempt: usize) {
    let outcome = match random.random_range(0..100) {
        0..60 => "succeeded",
        60..80 => "declined",
        _ => return world.tally.note("3ds: never acted"),
    };
    let message = sandbox::notice(&format!("payment-{payment}-{attempt}"), outcome);
    for _ in 0..random.random_range(1..=2) {
        let patient = Patient { client: &world.anyone, passing: keyed::PASSING };
        patient.persist(|client| sandbox::tell(client, &message), &[204]).await;
    }
    world.tally.note(format!("3ds: {outcome}"));
}

async fn cancel(world: &World, client: &Client, order: i64) {
    let path = format!("/api/v1/orders/{order}/cancel");
    let answer = ask(client, |client| client.request("POST", &path), &[200, 409]).await;
    world.tally.note(format!("cancel: {}", answer.status));
}

fn token(random: &mut StdRng) -> &'static str {
    TOKENS.choose_weighted(random, |token| token.1).expect("weights").0
}

async fn ask(client: &Client, call: impl Fn(&Client) -> Call, wanted: &[u16]) -> Answer {
    Patient { client, passing: keyed::PASSING }.persist(call, wanted).await
}
