//! What goes wrong.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A payment intent is made.
    Create,
    /// It is confirmed.
    Confirm,
    /// It is read.
    Read,
    /// It is cancelled.
    Cancel,
    /// Money is given back.
    Refund,
    /// A refund is read.
    ReadRefund,
    /// An intent's refunds are listed.
    List,
}

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// 503 before anything is done; nothing is kept.
    Down,
    /// 429, nothing is done or kept.
    Limited,
    /// 500 before anything is done, kept under the idempotency key.
    Failed,
    /// 500 after it was done, kept under the idempotency key.
    FailedAfter,
    /// The connection ends before anything is done.
    Unheard,
    /// It is done, then the connection ends without an answer.
    Lost,
    /// It is done, and the answer is no JSON.
    Garbled,
    /// It is done at once, and answered after this time.
    Late(Duration),
    /// It takes this time to be done. Whoever asks for the same meanwhile is refused.
    Slow(Duration),
}

/// Faults that are ordered and not yet delivered.
#[derive(Default)]
pub struct Faults(HashMap<(i64, Step), VecDeque<Fault>>);

impl Faults {
    /// Orders faults of a step of a payment.
    pub fn order(&mut self, payment: i64, step: Step, faults: impl IntoIterator<Item = Fault>) {
        self.0.entry((payment, step)).or_default().extend(faults);
    }

    /// The fault of this request, if one is due.
    pub fn take(&mut self, payment: i64, step: Step) -> Option<Fault> {
        self.0.get_mut(&(payment, step))?.pop_front()
    }
}
