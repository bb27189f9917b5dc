//! Requests under an `Idempotency-Key`.

use plaza_tests::{Answer, Client, patient::Patient, shop::fresh_key};
use rand::{RngExt, rngs::StdRng};
use serde_json::Value;

use crate::World;

/// What may be answered while a host or a database is away. That something is broken is never a good answer.
pub const PASSING: &[u16] = &[503, 504];

/// How many of a hundred requests are sent a second time, at once or afterwards.
const REPEATED: u32 = 40;

/// Posts under a fresh key, asking again until there is an answer; now and then the same once more, which must get the same.
pub async fn post(
    world: &World,
    client: &Client,
    random: &mut StdRng,
    path: &str,
    body: &Value,
    wanted: &[u16],
) -> Answer {
    let (key, patient) = (fresh_key(), Patient { client, passing: PASSING });
    let send = || patient.persist(|client| client.post(path, body).key(&key), wanted);
    let (at_once, afterwards) = (random.random_range(0..100) < REPEATED, random.random_range(0..100) < REPEATED);
    let first = match at_once {
        true => {
            let (first, second) = tokio::join!(send(), send());
            same(world, &first, &second, path);
            first
        }
        false => send().await,
    };
    if afterwards {
        same(world, &first, &send().await, path);
    }
    first
}

fn same(world: &World, first: &Answer, second: &Answer, path: &str) {
    let alike = first.status == second.status && first.bytes() == second.bytes();
    assert!(alike, "two answers to one key at {path}: {} and {}", first.text(), second.text());
    world.tally.note("repetitions that got the first answer");
}
