//! Hears messages and notes each in the list `heard` of the Redis server at the variable `redis`, under the variable `name`. Of `fail`
//! it says that it did not take it, of `trap` nothing at all, and `slow` takes until the list `go` has something.

#![cfg(target_family = "wasm")]

use bytes::Bytes;
use spin_sdk::{
    redis::{Connection, RedisParameter},
    redis_subscriber, variables,
};

#[redis_subscriber]
async fn on_message(message: Bytes) -> anyhow::Result<()> {
    let connection = Connection::open(variables::get("redis").await?).await?;
    let text = String::from_utf8_lossy(&message).into_owned();
    match text.as_str() {
        "fail" => anyhow::bail!("it does not like this one"),
        "trap" => panic!("it cannot bear this one"),
        "slow" => {
            let wait = [RedisParameter::Binary(b"go".to_vec()), RedisParameter::Int64(20)];
            connection.execute("BLPOP", wait).await?;
        }
        _ => {}
    }
    let noted = format!("{} {}", variables::get("name").await?, if text.len() > 100 { "much" } else { &text });
    let note = [b"heard".to_vec(), noted.into_bytes()].map(RedisParameter::Binary);
    connection.execute("RPUSH", note).await?;
    Ok(())
}
