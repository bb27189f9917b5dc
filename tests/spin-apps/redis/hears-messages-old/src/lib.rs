//! Hears messages as a component of spin-sdk 3 does, and notes each in the list `heard` of the Redis server at the variable `redis`.

#![cfg(target_family = "wasm")]

use bytes::Bytes;
use spin_sdk::{
    redis::{Connection, RedisParameter},
    redis_component, variables,
};

#[redis_component]
fn on_message(message: Bytes) -> anyhow::Result<()> {
    let connection = Connection::open(&variables::get("redis")?)?;
    let noted = format!("old {}", String::from_utf8_lossy(&message));
    let note = [b"heard".to_vec(), noted.into_bytes()].map(RedisParameter::Binary);
    connection.execute("RPUSH", &note)?;
    Ok(())
}
