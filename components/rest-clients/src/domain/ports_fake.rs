//! A peer that answers as it was told to, in a time that passes by itself.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::breaker::Breaker;
use super::failure::Failure;
use super::ports::Peer;
use super::question::Question;

/// How an attempt ends, after so long.
pub type Ending = (Duration, Result<&'static str, Failure>);

/// A peer, and what was asked of it.
pub struct FakePeer {
    now: RefCell<Instant>,
    breaker: RefCell<Breaker>,
    endings: RefCell<VecDeque<Ending>>,
    /// The limit of each attempt.
    pub limits: RefCell<Vec<Duration>>,
}

impl FakePeer {
    /// One that ends the attempts like this, and is away afterwards.
    pub fn that_ends(endings: impl IntoIterator<Item = Ending>) -> Self {
        Self {
            now: RefCell::new(Instant::now()),
            breaker: RefCell::default(),
            endings: RefCell::new(endings.into_iter().collect()),
            limits: RefCell::default(),
        }
    }

    /// How it goes on.
    pub fn then_ends(&self, ending: Ending) {
        self.endings.borrow_mut().push_back(ending);
    }

    /// How often it was asked.
    pub fn attempts(&self) -> usize {
        self.limits.borrow().len()
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        *self.now.borrow_mut() += time;
    }
}

impl Peer for FakePeer {
    fn now(&self) -> Instant {
        *self.now.borrow()
    }

    async fn pause(&self, time: Duration) {
        self.wait(time);
    }

    async fn ask_once(&self, _question: &Question, limit: Duration) -> Result<Vec<u8>, Failure> {
        self.limits.borrow_mut().push(limit);
        let away = || (Duration::ZERO, Err(Failure::Unreached("nobody is there".to_owned())));
        let (takes, ending) = self.endings.borrow_mut().pop_front().unwrap_or_else(away);
        self.wait(takes.min(limit));
        if takes > limit {
            return Err(Failure::Silent("it takes too long".to_owned()));
        }
        ending.map(|text| text.as_bytes().to_vec())
    }

    fn breaker<T>(&self, with: impl FnOnce(&mut Breaker) -> T) -> T {
        with(&mut self.breaker.borrow_mut())
    }
}
