//! The ports in memory, with failures to order.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::{DateTime, Utc};
use kit::Money;

use super::*;
use crate::domain::line::Line;
use crate::domain::status::Reason;

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

/// An order of user 7: two cups at 19.99.
pub fn an_order(id: i64, status: Status) -> Order {
    let time: DateTime<Utc> = "2026-01-02T03:04:05Z".parse().unwrap();
    Order {
        id,
        user_id: 7,
        reservation_id: format!("00000000-0000-0000-0000-{id:012}"),
        lines: vec![a_line(3, 2)],
        status,
        reason: None,
        total: Money::from_minor(3998),
        currency: "EUR".to_owned(),
        version: 1,
        shipment: None,
        created_at: time,
        updated_at: time,
        expires_at: time,
    }
}

fn a_line(product_id: i64, quantity: i64) -> Line {
    Line { product_id, quantity, name: "Cup".to_owned(), price: Money::from_minor(1999) }
}

type Meddling = Box<dyn Fn(&mut Order)>;

/// Everything that the use cases ask, in memory.
#[derive(Default)]
pub struct FakeOrders {
    orders: RefCell<BTreeMap<i64, Order>>,
    inbox: RefCell<BTreeSet<String>>,
    answer: RefCell<Option<String>>,
    released: Cell<bool>,
    lost_saves: Cell<usize>,
    meddling: RefCell<Option<(i64, Meddling)>>,
    stock_error: RefCell<Option<StockError>>,
    committed: Cell<usize>,
    undone: Cell<usize>,
    reserved: RefCell<BTreeSet<String>>,
    inactive: Cell<bool>,
    taken_over: Cell<bool>,
}

impl FakeOrders {
    pub fn with(order: Order) -> Self {
        let fake = Self::default();
        fake.orders.borrow_mut().insert(order.id, order);
        fake
    }
    pub fn order(&self, id: i64) -> Order {
        self.orders.borrow()[&id].clone()
    }
    pub fn count(&self) -> usize {
        self.orders.borrow().len()
    }
    pub fn committed(&self) -> usize {
        self.committed.get()
    }
    pub fn undone(&self) -> usize {
        self.undone.get()
    }
    pub fn reserved(&self) -> usize {
        self.reserved.borrow().len()
    }
    pub fn answer(&self) -> Option<String> {
        self.answer.borrow().clone()
    }
    pub fn is_released(&self) -> bool {
        self.released.get()
    }
    pub fn lose_next_saves(&self, count: usize) {
        self.lost_saves.set(count);
    }
    pub fn fail_stock(&self, error: StockError) {
        self.stock_error.replace(Some(error));
    }
    pub fn mend_stock(&self) {
        self.stock_error.replace(None);
    }
    pub fn deactivate_the_customer(&self) {
        self.inactive.set(true);
    }
    pub fn take_the_key_over(&self) {
        self.taken_over.set(true);
    }
    pub fn cancel_before_next_save(&self, id: i64) {
        self.meddle(id, |order| (order.status, order.reason) = (Status::Cancelled, Some(Reason::User)));
    }
    pub fn pay_before_next_save(&self, id: i64) {
        self.meddle(id, |order| order.status = Status::Paid);
    }
    fn meddle(&self, id: i64, change: impl Fn(&mut Order) + 'static) {
        self.meddling.replace(Some((id, Box::new(change))));
    }
}

impl Orders for FakeOrders {
    async fn find(&self, id: i64) -> Result<Option<Order>, StoreError> {
        Ok(self.orders.borrow().get(&id).cloned())
    }
    async fn list(&self, _filter: &Filter) -> Result<Vec<Order>, StoreError> {
        Ok(self.orders.borrow().values().cloned().collect())
    }
    async fn history(&self, _id: i64) -> Result<Vec<Past>, StoreError> {
        Ok(Vec::new())
    }
    async fn save(&self, step: &Step) -> Result<bool, StoreError> {
        if self.lost_saves.get() > 0 {
            self.lost_saves.set(self.lost_saves.get() - 1);
            return Ok(false);
        }
        let mut orders = self.orders.borrow_mut();
        if let Some((id, change)) = self.meddling.take() {
            let order = orders.get_mut(&id).unwrap();
            change(order);
            order.version += 1;
        }
        let order = orders.get_mut(&step.order.id).unwrap();
        if order.version + 1 != step.order.version || order.status != step.from {
            return Ok(false);
        }
        *order = step.order.clone();
        self.inbox.borrow_mut().extend(step.cause.clone());
        Ok(true)
    }
    async fn has_seen(&self, event_id: &str) -> Result<bool, StoreError> {
        Ok(self.inbox.borrow().contains(event_id))
    }
    async fn remember(&self, event_id: &str) -> Result<(), StoreError> {
        self.inbox.borrow_mut().insert(event_id.to_owned());
        Ok(())
    }
    async fn overdue(&self, _limit: i64) -> Result<Vec<i64>, StoreError> {
        let orders = self.orders.borrow();
        Ok(orders.values().filter(|order| order.status == Status::Pending).map(|order| order.id).collect())
    }
    async fn forget_the_old(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Placement for FakeOrders {
    type Answer = String;

    async fn place(&self, order: &Order, answer: &String) -> Result<bool, StoreError> {
        if self.taken_over.get() {
            return Ok(false);
        }
        self.orders.borrow_mut().insert(order.id, order.clone());
        self.refuse(answer).await
    }
    async fn refuse(&self, answer: &String) -> Result<bool, StoreError> {
        if self.taken_over.get() {
            return Ok(false);
        }
        self.answer.replace(Some(answer.clone()));
        Ok(true)
    }
    async fn release(&self) -> Result<(), StoreError> {
        self.released.set(true);
        Ok(())
    }
}

impl Customers for FakeOrders {
    async fn is_active(&self, _user_id: i64) -> Result<bool, Unavailable> {
        Ok(!self.inactive.get())
    }
}

impl Stock for FakeOrders {
    async fn reserve(&self, id: &str, lines: &[Wanted], _hold_seconds: u32) -> Result<Vec<Taken>, StockError> {
        self.stock_error.borrow().clone().map_or(Ok(()), Err)?;
        self.reserved.borrow_mut().insert(id.to_owned());
        let taken = lines.iter().map(|wanted| a_line(wanted.product_id, wanted.quantity));
        Ok(taken.map(|line| Taken { line, currency: "EUR".to_owned() }).collect())
    }
    async fn commit(&self, _reservation_id: &str) -> Result<(), StockError> {
        self.stock_error.borrow().clone().map_or(Ok(()), Err)?;
        self.committed.set(self.committed.get() + 1);
        Ok(())
    }
    async fn undo(&self, _reservation_id: &str) -> Result<(), StockError> {
        self.undone.set(self.undone.get() + 1);
        Ok(())
    }
}
