//! Stripe and the ledger in memory, with faults to order.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;
use crate::domain::intent::Standing;
use crate::domain::refund::RefundStanding;

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

/// 39.98 of `pm_1`.
pub fn a_charge() -> NewCharge {
    NewCharge {
        key: "payment-1-1".to_owned(),
        payment_id: 1,
        amount: Amount::parse(3998, "EUR").unwrap(),
        method: Method::parse("pm_1").unwrap(),
        return_url: None,
    }
}

/// 10.00 of the first intent.
pub fn a_refund() -> NewRefund {
    NewRefund { key: "refund-1".to_owned(), intent_id: "pi_1".to_owned(), amount_minor: 1000 }
}

/// What goes wrong with a request.
pub enum Fault {
    /// Nothing is done.
    Before(Refusal),
    /// It is done, but nobody hears of it.
    After(Refusal),
}

/// Both ports, in memory.
#[derive(Default)]
pub struct FakeWorld {
    pub charges: RefCell<BTreeMap<String, Charge>>,
    pub refunds: RefCell<BTreeMap<String, GivenBack>>,
    pub intents: RefCell<Vec<Intent>>,
    pub made: RefCell<Vec<Refund>>,
    /// What is asked, as `step request-id`.
    pub asked: RefCell<Vec<String>>,
    /// What a confirmation leads to, where it is not a success.
    pub confirmed: RefCell<Option<Standing>>,
    /// What a refund is, where it is not a success.
    pub refunded: RefCell<Option<RefundStanding>>,
    faults: RefCell<VecDeque<(&'static str, Fault)>>,
    renewals: Cell<usize>,
    withdraw_next: Cell<bool>,
}

impl FakeWorld {
    /// The next request of this step goes wrong.
    pub fn fault(&self, step: &'static str, fault: Fault) {
        self.faults.borrow_mut().push_back((step, fault));
    }
    /// The charge is withdrawn just before it is given its intent.
    pub fn withdraw_before_the_intent(&self) {
        self.withdraw_next.set(true);
    }
    pub fn standing(&self, number: usize) -> Standing {
        self.intents.borrow()[number].standing.clone()
    }
    pub fn stand(&self, number: usize, standing: Standing) {
        self.intents.borrow_mut()[number].standing = standing;
    }
    pub fn ending(&self, key: &str) -> Option<Ending> {
        self.charges.borrow()[key].ending.clone()
    }
    pub fn succeeded(&self) -> usize {
        self.intents.borrow().iter().filter(|intent| intent.standing == Standing::Succeeded).count()
    }
    pub fn steps(&self) -> Vec<String> {
        self.asked.borrow().iter().map(|asked| asked.split(' ').next().unwrap().to_owned()).collect()
    }
    fn renewed(&self) -> String {
        self.renewals.set(self.renewals.get() + 1);
        format!("request-{}", self.renewals.get())
    }
    fn ask<T>(
        &self,
        step: &'static str,
        request: &str,
        act: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.asked.borrow_mut().push(format!("{step} {request}"));
        let due = self.faults.borrow().front().is_some_and(|(at, _)| *at == step);
        match due.then(|| self.faults.borrow_mut().pop_front()).flatten() {
            None => act(),
            Some((_, Fault::Before(refusal))) => Err(refusal),
            Some((_, Fault::After(refusal))) => act().and(Err(refusal)),
        }
    }
    fn intent_at(&self, id: &str) -> Result<Intent, Refusal> {
        self.intents.borrow().iter().find(|intent| intent.id == id).cloned().ok_or(Refusal::Unknown)
    }
    fn move_to(&self, id: &str, standing: Standing) -> Result<Intent, Refusal> {
        let mut intents = self.intents.borrow_mut();
        let intent = intents.iter_mut().find(|intent| intent.id == id).ok_or(Refusal::Unknown)?;
        let is_over = matches!(intent.standing, Standing::Succeeded | Standing::Canceled);
        if is_over {
            return Err(Refusal::State(Some(intent.clone())));
        }
        intent.standing = standing;
        Ok(intent.clone())
    }
}

impl Stripe for FakeWorld {
    async fn create_intent(&self, _new: &NewCharge, charge: &Charge) -> Result<Intent, Refusal> {
        self.ask("create", &charge.request_id, || {
            let mut intents = self.intents.borrow_mut();
            let intent = Intent { id: format!("pi_{}", intents.len() + 1), standing: Standing::Unconfirmed };
            intents.push(intent.clone());
            Ok(intent)
        })
    }
    async fn confirm_intent(&self, id: &str, _method: &Method, charge: &Charge) -> Result<Intent, Refusal> {
        let standing = self.confirmed.borrow().clone().unwrap_or(Standing::Succeeded);
        self.ask("confirm", &charge.request_id, || self.move_to(id, standing))
    }
    async fn intent(&self, id: &str) -> Result<Intent, Refusal> {
        self.ask("read", "-", || self.intent_at(id))
    }
    async fn cancel_intent(&self, id: &str) -> Result<Intent, Refusal> {
        self.ask("cancel", "-", || self.move_to(id, Standing::Canceled))
    }
    async fn create_refund(&self, refund: &GivenBack) -> Result<Refund, Refusal> {
        let standing = self.refunded.borrow().clone().unwrap_or(RefundStanding::Succeeded);
        self.ask("refund", &refund.request_id, || {
            let mut made = self.made.borrow_mut();
            let id = format!("re_{}", made.len() + 1);
            let (intent_id, key) = (Some(refund.intent_id.clone()), Some(refund.key.clone()));
            made.push(Refund { id, intent_id, key, standing });
            Ok(made[made.len() - 1].clone())
        })
    }
    async fn refund(&self, id: &str) -> Result<Refund, Refusal> {
        let made = || self.made.borrow().iter().find(|made| made.id == id).cloned().ok_or(Refusal::Unknown);
        self.ask("read-refund", "-", made)
    }
    async fn refund_for(&self, _intent_id: &str, key: &str) -> Result<Option<Refund>, Refusal> {
        let found = || Ok(self.made.borrow().iter().find(|made| made.key.as_deref() == Some(key)).cloned());
        self.ask("list", "-", found)
    }
}

impl Charges for FakeWorld {
    async fn note_charge(&self, new: &NewCharge) -> Result<Charge, StoreError> {
        let mut charges = self.charges.borrow_mut();
        let fresh = || Charge {
            key: new.key.clone(),
            same_request: true,
            return_url: new.return_url.clone(),
            request_id: "request-0".to_owned(),
            intent_id: None,
            ending: None,
        };
        Ok(charges.entry(new.key.clone()).or_insert_with(fresh).clone())
    }
    async fn charge(&self, key: &str) -> Result<Option<Charge>, StoreError> {
        Ok(self.charges.borrow().get(key).cloned())
    }
    async fn charge_of(&self, intent_id: &str) -> Result<Option<Charge>, StoreError> {
        let charges = self.charges.borrow();
        Ok(charges.values().find(|charge| charge.intent_id.as_deref() == Some(intent_id)).cloned())
    }
    async fn take_intent(&self, charge: &Charge, intent_id: &str) -> Result<bool, StoreError> {
        if self.withdraw_next.take() {
            self.withdraw_unsent(&charge.key).await?;
        }
        let mut charges = self.charges.borrow_mut();
        let ours = charges.get_mut(&charge.key).unwrap();
        let free = ours.intent_id.is_none() && ours.ending.is_none() && ours.request_id == charge.request_id;
        if free {
            ours.intent_id = Some(intent_id.to_owned());
        }
        Ok(free)
    }
    async fn renew_charge(&self, charge: &Charge) -> Result<(), StoreError> {
        let request_id = self.renewed();
        self.charges.borrow_mut().get_mut(&charge.key).unwrap().request_id = request_id;
        Ok(())
    }
    async fn end_charge(&self, key: &str, ending: &Ending) -> Result<(), StoreError> {
        let mut charges = self.charges.borrow_mut();
        let charge = charges.get_mut(key).unwrap();
        if charge.ending.is_none() || *ending == Ending::Succeeded {
            charge.ending = Some(ending.clone());
        }
        Ok(())
    }
    async fn withdraw_unsent(&self, key: &str) -> Result<Charge, StoreError> {
        let mut charge = self.note_charge(&NewCharge { key: key.to_owned(), ..a_charge() }).await?;
        if charge.intent_id.is_none() && charge.ending.is_none() {
            charge.ending = Some(Ending::Withdrawn);
            self.charges.borrow_mut().insert(key.to_owned(), charge.clone());
        }
        Ok(charge)
    }
}

impl Refunds for FakeWorld {
    async fn note_refund(&self, new: &NewRefund) -> Result<GivenBack, StoreError> {
        let mut refunds = self.refunds.borrow_mut();
        let fresh = GivenBack {
            key: new.key.clone(),
            intent_id: new.intent_id.clone(),
            amount_minor: new.amount_minor,
            same_request: true,
            request_id: "request-0".to_owned(),
            sent_before: false,
            broken: false,
            refund_id: None,
            ending: None,
        };
        let mut ours = refunds.get(&new.key).cloned().unwrap_or_else(|| fresh.clone());
        ours.same_request = (&ours.intent_id, ours.amount_minor) == (&new.intent_id, new.amount_minor);
        refunds.insert(new.key.clone(), GivenBack { sent_before: true, ..ours.clone() });
        Ok(ours)
    }
    async fn given_back(&self, key: &str) -> Result<Option<GivenBack>, StoreError> {
        Ok(self.refunds.borrow().get(key).cloned())
    }
    async fn given_back_by(&self, refund: &Refund) -> Result<Option<GivenBack>, StoreError> {
        let is_ours = |ours: &&GivenBack| {
            ours.refund_id.as_deref() == Some(&refund.id) || refund.key.as_deref() == Some(&ours.key)
        };
        Ok(self.refunds.borrow().values().find(is_ours).cloned())
    }
    async fn renew_refund(&self, refund: &GivenBack) -> Result<(), StoreError> {
        let request_id = self.renewed();
        self.refunds.borrow_mut().get_mut(&refund.key).unwrap().request_id = request_id;
        Ok(())
    }
    async fn note_broken(&self, key: &str) -> Result<(), StoreError> {
        self.refunds.borrow_mut().get_mut(key).unwrap().broken = true;
        Ok(())
    }
    async fn note_made(
        &self,
        key: &str,
        refund_id: Option<&str>,
        ending: Option<&RefundEnding>,
    ) -> Result<(), StoreError> {
        let mut refunds = self.refunds.borrow_mut();
        let ours = refunds.get_mut(key).unwrap();
        ours.refund_id = refund_id.map(str::to_owned).or(ours.refund_id.take());
        ours.ending = ours.ending.take().or(ending.cloned());
        Ok(())
    }
}
