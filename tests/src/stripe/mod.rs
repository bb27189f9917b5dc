//! A stand-in for Stripe, which answers in the form of its API and remembers what it did. Nothing but its form is Stripe's:
//! what it does wrong, a test orders beforehand.
//!
//! - [`account`] keeps payment intents, refunds and idempotency keys, and does what a request asks;
//! - [`fault`] is what goes wrong, [`request`] what was asked, [`webhook`] what is told by itself;
//! - the server itself is `wire`.

pub mod account;
pub mod answer;
pub mod fault;
pub mod request;
pub mod webhook;
mod wire;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

pub use account::Account;
pub use fault::{Fault, Step};
pub use request::Request;

/// The key that the account has.
pub const SECRET_KEY: &str = "sk_test_of_the_tests";
/// The signing secret of its webhook endpoint.
pub const WEBHOOK_SECRET: &str = "whsec_of_the_tests";
/// Where its customers come back to.
pub const RETURN_URL: &str = "https://shop.example/paid";

/// A running stand-in. It serves until the process ends.
pub struct Stripe {
    address: SocketAddr,
    account: Arc<Mutex<Account>>,
}

impl Stripe {
    /// Starts one with an empty account, on a free port.
    pub fn start() -> Self {
        let account = Arc::new(Mutex::new(Account::default()));
        let address = wire::serve(account.clone());
        Self { address, account }
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next requests of this step of this payment go wrong, one after the other.
    pub fn faults(&self, payment: i64, step: Step, faults: impl IntoIterator<Item = Fault>) {
        self.account().faults.order(payment, step, faults);
    }

    /// How often money was taken for a payment, and how much.
    pub fn charged(&self, payment: i64) -> (usize, i64) {
        let taken = self.intents(payment).into_iter().filter(|intent| intent["status"] == "succeeded");
        let amounts: Vec<i64> = taken.map(|intent| intent["amount"].as_i64().expect("an amount")).collect();
        (amounts.len(), amounts.iter().sum())
    }

    /// The payment intents that were made for a payment.
    pub fn intents(&self, payment: i64) -> Vec<Value> {
        self.account().intents_of(payment)
    }

    /// The refunds that were made of a payment.
    pub fn refunds(&self, payment: i64) -> Vec<Value> {
        self.account().refunds_of(payment)
    }

    /// What was asked for a payment, in order.
    pub fn requests(&self, payment: i64) -> Vec<Request> {
        self.account().requests.iter().filter(|(of, _)| *of == payment).map(|(_, request)| request.clone()).collect()
    }

    /// The refunds of a payment have this status from now on, those that were made as well as those that will be.
    pub fn refunds_become(&self, payment: i64, status: &str) {
        self.account().refunds_become(payment, status);
    }

    /// No request of this payment is remembered by its idempotency key once it is done, as if a day had gone by.
    pub fn forgets_requests(&self, payment: i64) {
        self.account().forget_requests(payment);
    }

    /// The customer acts where the payment's intent sent them, with or without success; returns the intent as it is then.
    pub fn customer_acts(&self, payment: i64, well: bool) -> Value {
        self.account().customer_acts(payment, well)
    }

    fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
