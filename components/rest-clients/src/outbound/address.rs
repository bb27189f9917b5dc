//! Where a service is, and what is known of that address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use kit::within;

use super::request;
use crate::domain::breaker::Breaker;
use crate::domain::failure::Failure;
use crate::domain::ports::Peer;
use crate::domain::question::Question;

thread_local! {
    /// What this instance knows of each base address: there are as many as variables name.
    static BREAKERS: RefCell<HashMap<String, Breaker>> = RefCell::default();
}

/// Where a service is, and what lets in there.
pub struct Address {
    /// Scheme, host and port: `http://users.spin.internal`.
    pub base: String,
    /// The component that answers there.
    pub component: String,
    /// The service token.
    pub token: String,
}

impl Peer for Address {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn pause(&self, time: Duration) {
        spin_sdk::time::sleep(time).await;
    }

    async fn ask_once(&self, question: &Question, limit: Duration) -> Result<Vec<u8>, Failure> {
        let late = || Err(Failure::Silent(format!("nothing within {} ms", limit.as_millis())));
        within(limit, request::send(self, question)).await.unwrap_or_else(late)
    }

    fn breaker<T>(&self, with: impl FnOnce(&mut Breaker) -> T) -> T {
        BREAKERS.with_borrow_mut(|breakers| with(breakers.entry(self.base.clone()).or_default()))
    }
}
