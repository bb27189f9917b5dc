//! The commands for which the interface has a function.

use redis::cmd;

use super::{
    bindings::v3::spin::redis::redis::{RedisParameter, RedisResult},
    command::Command,
    connection::Connection,
    failure::Failure,
    value,
};

impl Connection {
    /// Publishes a message.
    pub(super) async fn publish(&self, channel: &str, payload: &[u8]) -> Result<(), Failure> {
        self.ask(cmd("PUBLISH").arg(channel).arg(payload)).await.map(drop)
    }

    /// The value of a key.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        value::payload(self.ask(cmd("GET").arg(key)).await?)
    }

    /// Sets the value of a key.
    pub(super) async fn set(&self, key: &str, payload: &[u8]) -> Result<(), Failure> {
        self.ask(cmd("SET").arg(key).arg(payload)).await.map(drop)
    }

    /// Adds one to the number of a key.
    pub(super) async fn incr(&self, key: &str) -> Result<i64, Failure> {
        value::number(self.ask(cmd("INCR").arg(key)).await?)
    }

    /// Removes keys; returns how many there were.
    pub(super) async fn del(&self, keys: &[String]) -> Result<u32, Failure> {
        value::number(self.ask(cmd("DEL").arg(keys)).await?)
    }

    /// Adds values to a set; returns how many are new.
    pub(super) async fn sadd(&self, key: &str, values: &[String]) -> Result<u32, Failure> {
        value::number(self.ask(cmd("SADD").arg(key).arg(values)).await?)
    }

    /// The values of a set.
    pub(super) async fn smembers(&self, key: &str) -> Result<Vec<String>, Failure> {
        value::texts(self.ask(cmd("SMEMBERS").arg(key)).await?)
    }

    /// Removes values from a set; returns how many there were.
    pub(super) async fn srem(&self, key: &str, values: &[String]) -> Result<u32, Failure> {
        value::number(self.ask(cmd("SREM").arg(key).arg(values)).await?)
    }

    /// Runs any command that is answered once.
    pub(super) async fn execute(
        &self,
        command: &str,
        arguments: &[RedisParameter],
    ) -> Result<Vec<RedisResult>, Failure> {
        let command = Command::new(command, arguments).map_err(Failure::Other)?;
        value::flat(self.run(&command).await?)
    }
}
