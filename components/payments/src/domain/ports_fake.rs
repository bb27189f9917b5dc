//! The ports in memory, with a provider to order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::*;
use crate::domain::attempt::AttemptState;
use crate::domain::payment::Status;
use crate::domain::refund::RefundState;
use crate::domain::token::Token;

/// Runs a future that never really waits.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1000 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
    panic!("the future waits for something that no fake provides");
}

fn a_time() -> DateTime<Utc> {
    "2020-01-02T03:04:05Z".parse().unwrap()
}

/// Payment 1 of user 7 for order 17: 39.98.
pub fn a_payment(status: Status) -> Payment {
    let charged = status == Status::Succeeded;
    Payment {
        id: 1,
        order_id: 17,
        user_id: 7,
        amount: Money::from_minor(3998),
        currency: "EUR".to_owned(),
        status,
        provider: charged.then(|| "sandbox".to_owned()),
        charge_id: charged.then(|| "ch_1".to_owned()),
        attempts: 0,
        declines: 0,
        order_cancelled: false,
        refunding: Money::ZERO,
        refunded: Money::ZERO,
        version: 1,
        created_at: a_time(),
        updated_at: a_time(),
    }
}

/// The first attempt of payment 1.
pub fn an_attempt(state: AttemptState) -> Attempt {
    Attempt {
        payment_id: 1,
        number: 1,
        key: "payment-1-1".to_owned(),
        provider: "sandbox".to_owned(),
        token: (state == AttemptState::Open).then(|| Token::parse("tok_ok").unwrap()),
        state,
        result: None,
        action_url: None,
        traceparent: None,
    }
}

/// Everything that the use cases ask, in memory.
#[derive(Default)]
pub struct FakePayments {
    payments: RefCell<Vec<Payment>>,
    attempts: RefCell<Vec<Attempt>>,
    refunds: RefCell<Vec<Refund>>,
    inbox: RefCell<BTreeSet<String>>,
    events: RefCell<Vec<&'static str>>,
    answer: RefCell<Option<String>>,
    released: Cell<bool>,
    charges: Cell<usize>,
    given_back: RefCell<Vec<String>>,
    charge_answer: RefCell<Option<Outcome>>,
    found: RefCell<Option<Outcome>>,
    withdrawn: RefCell<Vec<String>>,
    replaced_by: RefCell<Option<String>>,
    cancel_next: Cell<bool>,
    put_off: RefCell<BTreeSet<String>>,
    pause: Cell<Duration>,
}

impl FakePayments {
    pub fn with(payment: Payment) -> Self {
        let fake = Self::default();
        fake.payments.borrow_mut().push(payment);
        fake
    }
    pub fn with_attempt(self, attempt: Attempt) -> Self {
        self.attempts.borrow_mut().push(attempt);
        self
    }
    pub fn payment(&self) -> Payment {
        self.payments.borrow()[0].clone()
    }
    pub fn first_attempt(&self) -> Attempt {
        self.attempts.borrow()[0].clone()
    }
    pub fn attempts(&self) -> Vec<Attempt> {
        self.attempts.borrow().clone()
    }
    pub fn count(&self) -> usize {
        self.payments.borrow().len()
    }
    pub fn refunds(&self) -> Vec<Refund> {
        self.refunds.borrow().clone()
    }
    pub fn events(&self) -> Vec<&'static str> {
        self.events.borrow().clone()
    }
    pub fn kept_answer(&self) -> Option<String> {
        self.answer.borrow().clone()
    }
    pub fn charges(&self) -> usize {
        self.charges.get()
    }
    pub fn is_released(&self) -> bool {
        self.released.get()
    }
    pub fn given_back(&self) -> Vec<String> {
        self.given_back.borrow().clone()
    }
    /// What the provider says to a charge or refund; without it there is no answer.
    pub fn provider_says(&self, outcome: Outcome) {
        self.charge_answer.replace(Some(outcome));
    }
    /// What the provider says to a charge or refund, if anything.
    pub fn provider_answers(&self, outcome: Option<Outcome>) {
        self.charge_answer.replace(outcome);
    }
    /// What the provider says when asked about a charge, if it ever heard of it.
    pub fn provider_knows(&self, outcome: Option<Outcome>) {
        self.found.replace(outcome);
    }
    /// What the provider says when asked about a charge; without it, it never heard of it.
    pub fn provider_finds(&self, outcome: Outcome) {
        self.found.replace(Some(outcome));
    }
    /// The attempts that were given up, by key.
    pub fn withdrawn(&self) -> Vec<String> {
        self.withdrawn.borrow().clone()
    }
    /// From now on the provider is the one with this name.
    pub fn replace_provider(&self, name: &str) {
        self.replaced_by.replace(Some(name.to_owned()));
    }
    /// From now on every answer of the provider takes so long.
    pub fn provider_takes(&self, pause: Duration) {
        self.pause.set(pause);
    }
    /// The keys of what the clock has taken up and will not see again until time passes.
    pub fn put_off(&self) -> BTreeSet<String> {
        self.put_off.borrow().clone()
    }
    /// So much time passes that everything is due again.
    pub fn time_passes(&self) {
        self.put_off.borrow_mut().clear();
    }
    /// Takes the provider's time, then lets others go on.
    async fn takes_its_time(&self) {
        std::thread::sleep(self.pause.get());
        let mut is_over = false;
        poll_fn(|_| if std::mem::replace(&mut is_over, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }
    fn provider(&self) -> String {
        self.replaced_by.borrow().clone().unwrap_or_else(|| "sandbox".to_owned())
    }
    fn is_meant(&self, provider: &str) -> Result<(), Unavailable> {
        if self.provider() == provider { Ok(()) } else { Err(silent()) }
    }
    /// The order is cancelled just before the next write.
    pub fn cancel_before_next_write(&self) {
        self.cancel_next.set(true);
    }
    fn add_refund(&self, write: &Write, refund: &crate::domain::write::NewRefund) {
        let id = i64::try_from(self.refunds.borrow().len()).unwrap() + 1;
        self.refunds.borrow_mut().push(Refund {
            id: refund.id.unwrap_or(id),
            payment_id: write.payment.id,
            key: refund.key.clone(),
            amount: refund.amount,
            reason: refund.reason.clone(),
            state: RefundState::Pending,
            traceparent: write.traceparent.clone(),
            created_at: a_time(),
        });
    }
    fn note(&self, write: &Write) {
        let id = write.payment.id;
        if let Some(new) = &write.opens {
            let opened = Attempt {
                payment_id: id,
                number: new.number,
                key: new.key.clone(),
                token: Some(new.token.clone()),
                traceparent: write.traceparent.clone(),
                ..an_attempt(AttemptState::Open)
            };
            self.attempts.borrow_mut().push(opened);
        }
        if let Some(mark) = &write.marks {
            let mut attempts = self.attempts.borrow_mut();
            let attempt = attempts.iter_mut().find(|attempt| attempt.number == mark.number).unwrap();
            attempt.state = mark.state;
            attempt.result.clone_from(&mark.result);
            attempt.action_url.clone_from(&mark.action_url);
        }
        if let Some(refund) = &write.promises {
            self.add_refund(write, refund);
        }
        if let Some(settled) = &write.settles {
            let mut refunds = self.refunds.borrow_mut();
            let refund = refunds.iter_mut().find(|refund| refund.id == settled.id).unwrap();
            refund.state = if settled.succeeded { RefundState::Succeeded } else { RefundState::Failed };
        }
        self.events.borrow_mut().extend(write.event.as_ref().map(|event| event.kind));
        self.inbox.borrow_mut().extend(write.cause.clone());
    }
}

impl Payments for FakePayments {
    async fn find(&self, id: i64) -> Result<Option<Payment>, StoreError> {
        Ok(self.payments.borrow().iter().find(|payment| payment.id == id).cloned())
    }
    async fn find_by_order(&self, order_id: i64) -> Result<Option<Payment>, StoreError> {
        Ok(self.payments.borrow().iter().find(|payment| payment.order_id == order_id).cloned())
    }
    async fn list(&self, _filter: &Filter) -> Result<Vec<Payment>, StoreError> {
        Ok(self.payments.borrow().clone())
    }
    async fn open(&self, event_id: &str, new: &NewPayment) -> Result<(), StoreError> {
        self.inbox.borrow_mut().insert(event_id.to_owned());
        if self.find_by_order(new.order_id).await?.is_none() {
            let status = if new.order_cancelled { Status::Cancelled } else { Status::RequiresPayment };
            let payment = Payment { order_cancelled: new.order_cancelled, ..a_payment(status) };
            self.payments.borrow_mut().push(payment);
        }
        Ok(())
    }
    async fn has_seen(&self, event_id: &str) -> Result<bool, StoreError> {
        Ok(self.inbox.borrow().contains(event_id))
    }
    async fn attempt(&self, _payment_id: i64, number: i64) -> Result<Option<Attempt>, StoreError> {
        Ok(self.attempts.borrow().iter().find(|attempt| attempt.number == number).cloned())
    }
    async fn attempt_by_key(&self, key: &str) -> Result<Option<Attempt>, StoreError> {
        Ok(self.attempts.borrow().iter().find(|attempt| attempt.key == key).cloned())
    }
    async fn refund(&self, id: i64) -> Result<Option<Refund>, StoreError> {
        Ok(self.refunds.borrow().iter().find(|refund| refund.id == id).cloned())
    }
    async fn refund_by_key(&self, key: &str) -> Result<Option<Refund>, StoreError> {
        Ok(self.refunds.borrow().iter().find(|refund| refund.key == key).cloned())
    }
    async fn write(&self, write: &Write) -> Result<Written, StoreError> {
        if self.cancel_next.take() {
            let cancelled = crate::domain::order::order_cancelled(&self.payment());
            self.payments.borrow_mut()[0] = cancelled.payment.clone();
            self.note(&cancelled);
        }
        if self.payment().version + 1 != write.payment.version {
            return Ok(Written::Outrun);
        }
        self.payments.borrow_mut()[0] = write.payment.clone();
        self.note(write);
        Ok(Written::Done { answered: false })
    }
}

impl Keyed for FakePayments {
    type Answer = String;

    async fn write_answered(&self, write: &Write, answer: Option<&String>) -> Result<Written, StoreError> {
        let written = self.write(write).await?;
        if written == Written::Outrun {
            return Ok(written);
        }
        if let Some(answer) = answer {
            self.answer(answer).await?;
        }
        Ok(Written::Done { answered: answer.is_some() })
    }
    async fn answer(&self, answer: &String) -> Result<bool, StoreError> {
        self.answer.replace(Some(answer.clone()));
        Ok(true)
    }
    async fn release(&self) -> Result<(), StoreError> {
        self.released.set(true);
        Ok(())
    }
}

impl Chores for FakePayments {
    async fn attempt_due(&self, provider: &str) -> Result<Option<Attempt>, StoreError> {
        let (attempts, mut put_off) = (self.attempts.borrow(), self.put_off.borrow_mut());
        let open = |attempt: &&Attempt| attempt.state == AttemptState::Open && attempt.provider == provider;
        Ok(attempts.iter().filter(open).find(|attempt| put_off.insert(attempt.key.clone())).cloned())
    }
    async fn refund_due(&self) -> Result<Option<Refund>, StoreError> {
        let (refunds, mut put_off) = (self.refunds.borrow(), self.put_off.borrow_mut());
        let pending = |refund: &&Refund| refund.state == RefundState::Pending;
        Ok(refunds.iter().filter(pending).find(|refund| put_off.insert(refund.key.clone())).cloned())
    }
    async fn forget_the_old(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Customers for FakePayments {
    async fn is_active(&self, user_id: i64) -> Result<bool, Unavailable> {
        Ok(user_id == 7)
    }
}

impl Administrators for FakePayments {
    async fn is_administrator(&self, user_id: i64) -> Result<bool, Unavailable> {
        Ok(user_id == 1)
    }
}

fn silent() -> Unavailable {
    Unavailable { who: "provider", why: "silent".to_owned() }
}

impl Provider for FakePayments {
    async fn name(&self) -> Result<String, Unavailable> {
        Ok(self.provider())
    }
    async fn charge(&self, _payment: &Payment, attempt: &Attempt) -> Result<Outcome, Unavailable> {
        self.takes_its_time().await;
        self.is_meant(&attempt.provider)?;
        self.charges.set(self.charges.get() + 1);
        self.charge_answer.borrow().clone().ok_or_else(silent)
    }
    async fn give_back(&self, refund: &Refund, charge: &Charge<'_>) -> Result<Outcome, Unavailable> {
        self.takes_its_time().await;
        self.is_meant(charge.provider)?;
        self.given_back.borrow_mut().push(refund.key.clone());
        self.charge_answer.borrow().clone().ok_or_else(silent)
    }
    async fn outcome_of(&self, attempt: &Attempt) -> Result<Option<Outcome>, Unavailable> {
        self.takes_its_time().await;
        self.is_meant(&attempt.provider)?;
        Ok(self.found.borrow().clone())
    }
    async fn withdraw(&self, attempt: &Attempt) -> Result<Option<Outcome>, Unavailable> {
        self.takes_its_time().await;
        self.is_meant(&attempt.provider)?;
        self.withdrawn.borrow_mut().push(attempt.key.clone());
        Ok(self.found.borrow().clone())
    }
}
