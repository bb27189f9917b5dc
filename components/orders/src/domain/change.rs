//! What may happen to an order once it is placed, and how it is made to happen only once.

use super::order::{Order, Shipment, now};
use super::ports::{Orders, StoreError};
use super::status::{Reason, Status};

/// How often a change is tried anew when another one came first.
const MAX_TRIES: usize = 8;

/// Something that happens to an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its payment arrived and its pieces are its own.
    Pay,
    /// It is handed to a carrier.
    Ship(Shipment),
    /// It arrived.
    Deliver,
    /// It ends without a sale.
    Cancel(Reason),
}

/// Who or what changes an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The customer with this number.
    User(i64),
    /// The administrator with this number.
    Admin(i64),
    /// An event of the payments.
    Payments,
    /// The clock.
    Clock,
}

/// One change of one order, ready to be stored: it applies only to the version it was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The order as it will be.
    pub order: Order,
    /// Where it stood before.
    pub from: Status,
    /// The type of the event that tells of it.
    pub event_type: &'static str,
    /// Who changes it.
    pub actor: Actor,
    /// The event that caused it, to be remembered with it.
    pub cause: Option<String>,
}

/// Why an order was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such order, or not for this person.
    #[error("no such order")]
    NotFound,
    /// Where the order stands, this cannot happen.
    #[error("an order that is {} cannot become {}", from.word(), to.word())]
    Illegal {
        /// Where the order stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// Others kept changing it; asking again may help.
    #[error("the order keeps changing")]
    Contended,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Change {
    /// Where it leads.
    pub fn target(&self) -> Status {
        match self {
            Self::Pay => Status::Paid,
            Self::Ship(_) => Status::Shipped,
            Self::Deliver => Status::Delivered,
            Self::Cancel(_) => Status::Cancelled,
        }
    }

    /// The type of the event that tells of it.
    pub fn event_type(&self) -> &'static str {
        match self {
            Self::Pay => "ORDER_PAID",
            Self::Ship(_) => "ORDER_SHIPPED",
            Self::Deliver => "ORDER_DELIVERED",
            Self::Cancel(_) => "ORDER_CANCELLED",
        }
    }
}

impl Actor {
    /// How the history names it: `user:7`, `admin:1`, `payments`, `clock`.
    pub fn name(self) -> String {
        match self {
            Self::User(id) => format!("user:{id}"),
            Self::Admin(id) => format!("admin:{id}"),
            Self::Payments => "payments".to_owned(),
            Self::Clock => "clock".to_owned(),
        }
    }
}

impl Step {
    /// The step that makes `change` happen to `order`, or why it cannot.
    pub fn plan(order: &Order, change: &Change, actor: Actor) -> Result<Self, ChangeError> {
        let (from, to) = (order.status, change.target());
        if !from.may_become(to) {
            return Err(ChangeError::Illegal { from, to });
        }
        let mut next = order.clone();
        next.status = to;
        next.version += 1;
        next.updated_at = now();
        match change {
            Change::Cancel(reason) => next.reason = Some(*reason),
            Change::Ship(shipment) => next.shipment = Some(shipment.clone()),
            Change::Pay | Change::Deliver => {}
        }
        let event_type = change.event_type();
        Ok(Self { order: next, from, event_type, actor, cause: None })
    }

    /// The same step, remembered as the effect of this event.
    pub fn caused_by(mut self, event_id: &str) -> Self {
        self.cause = Some(event_id.to_owned());
        self
    }
}

/// Changes the order with this id as `change` decides on seeing it, and returns it as it is then.
/// Another change that comes first makes it look and decide again.
pub async fn change_order<O: Orders>(
    orders: &O,
    id: i64,
    change: impl Fn(&Order) -> Result<Step, ChangeError>,
) -> Result<Order, ChangeError> {
    for _ in 0..MAX_TRIES {
        let order = orders.find(id).await?.ok_or(ChangeError::NotFound)?;
        let step = change(&order)?;
        if orders.save(&step).await? {
            return Ok(step.order);
        }
    }
    Err(ChangeError::Contended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::{FakeOrders, an_order, block_on};

    #[test]
    fn a_change_makes_the_next_version_and_names_its_event() {
        let order = an_order(1, Status::Pending);
        let step = Step::plan(&order, &Change::Cancel(Reason::User), Actor::User(7)).unwrap();
        assert_eq!(step.order.version, order.version + 1);
        assert_eq!(step.order.reason, Some(Reason::User));
        assert_eq!((step.from, step.event_type), (Status::Pending, "ORDER_CANCELLED"));
        assert_eq!(step.actor.name(), "user:7");
    }

    #[test]
    fn a_shipped_order_cannot_be_cancelled() {
        let order = an_order(1, Status::Shipped);
        let refused = Step::plan(&order, &Change::Cancel(Reason::Admin), Actor::Admin(1)).unwrap_err();
        assert_eq!(refused.to_string(), "an order that is shipped cannot become cancelled");
    }

    #[test]
    fn a_change_that_came_second_is_decided_anew() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.lose_next_saves(2);
        let paid = block_on(change_order(&orders, 1, |order| Step::plan(order, &Change::Pay, Actor::Payments)));
        assert_eq!(paid.unwrap().status, Status::Paid);
    }

    #[test]
    fn a_change_that_never_comes_first_gives_up() {
        let orders = FakeOrders::with(an_order(1, Status::Pending));
        orders.lose_next_saves(100);
        let paid = block_on(change_order(&orders, 1, |order| Step::plan(order, &Change::Pay, Actor::Payments)));
        assert!(matches!(paid, Err(ChangeError::Contended)));
    }
}
