//! What asking needs of the world.

use std::future::Future;
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use super::failure::Failure;
use super::question::Question;

/// Somebody who can be asked, and the time that passes meanwhile.
pub trait Peer {
    /// This moment.
    fn now(&self) -> Instant;
    /// Lets time pass.
    fn pause(&self, time: Duration) -> impl Future<Output = ()>;
    /// Asks once, and waits no longer than this: the JSON of the result.
    fn ask_once(&self, question: &Question, limit: Duration) -> impl Future<Output = Result<Vec<u8>, Failure>>;
    /// Looks at what is known of the peer's address, or notes something.
    fn breaker<T>(&self, with: impl FnOnce(&mut Breaker) -> T) -> T;
}
