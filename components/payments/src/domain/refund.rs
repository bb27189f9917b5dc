//! Giving money back: promised first, then made by the clock, as often as it takes.

use kit::Money;

use super::attempt::Outcome;
use super::event::Event;
use super::order::{cancel_key, promise_the_rest};
use super::payment::{Payment, Status};
use super::ports::{Administrators, Keyed, Payments, StoreError, Unavailable};
use super::write::{NewRefund, SettledRefund, Write, Written};

/// How often a payment is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// Money that goes back, or is to go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The refund's number, from 1.
    pub id: i64,
    /// The payment that it is of.
    pub payment_id: i64,
    /// The key under which the provider knows it.
    pub key: String,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub state: RefundState,
    /// The trace of what promised it, and so of what becomes of it.
    pub traceparent: Option<String>,
    /// When it was promised.
    pub created_at: chrono::DateTime<chrono::Utc>,
}

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundStatus)]
pub enum RefundState {
    /// Promised; the provider is asked until it answers.
    Pending,
    /// The money went back.
    Succeeded,
    /// The provider refused it for good.
    Failed,
}

impl RefundState {
    /// The state with this word; `None` when there is none.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "pending" => Some(Self::Pending),
            "succeeded" => Some(Self::Succeeded),
            "failed" => Some(Self::Failed),
            _ => None,
        }
    }
}

/// What an administrator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundWish {
    /// Who asks.
    pub by: i64,
    /// The payment.
    pub payment_id: i64,
    /// The number that the idempotency key has fixed for the refund.
    pub refund_id: i64,
    /// How much; all that is left where it is not said.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
}

/// What to tell the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundReply {
    /// It is promised.
    Promised {
        /// The refund.
        refund: Box<Refund>,
        /// The currency of its payment.
        currency: String,
    },
    /// The payment took no money that could go back, being in this state.
    NotCharged(Status),
    /// More than is left, which is this.
    TooMuch(Money),
    /// Who asks is no administrator any more, whatever the access token says.
    NotPermitted,
}

/// Why there is no answer to keep; the same key may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// There is no such payment.
    #[error("no such payment")]
    NotFound,
    /// Another attempt took the key over and answers in our place.
    #[error("another attempt has taken this key over")]
    TakenOver,
    /// Others kept changing the payment.
    #[error("the payment keeps changing")]
    Contended,
    /// Users cannot answer now, and nothing was begun.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Promises a refund within what is left of the charge; `render` puts the reply into the words of the answer, which is
/// stored with the promise.
pub async fn promise<P: Keyed + Administrators>(
    ports: &P,
    wish: &RefundWish,
    render: impl Fn(&RefundReply) -> P::Answer,
) -> Result<P::Answer, RefundError> {
    match ports.is_administrator(wish.by).await {
        Ok(true) => {}
        Ok(false) => return keep(ports, render(&RefundReply::NotPermitted)).await,
        Err(unavailable) => {
            ports.release().await?;
            return Err(unavailable.into());
        }
    }
    for _ in 0..MAX_TRIES {
        let payment = ports.find(wish.payment_id).await?.ok_or(RefundError::NotFound)?;
        let (write, reply) = match weigh(&payment, wish) {
            Ok(promised) => promised,
            Err(refusal) => return keep(ports, render(&refusal)).await,
        };
        let answer = render(&reply);
        match ports.write_answered(&write, Some(&answer)).await? {
            Written::Done { answered: true } => return Ok(answer),
            Written::Done { answered: false } => return Err(RefundError::TakenOver),
            Written::Outrun => {}
        }
    }
    Err(RefundError::Contended)
}

async fn keep<P: Keyed>(ports: &P, answer: P::Answer) -> Result<P::Answer, RefundError> {
    let stored = ports.answer(&answer).await?;
    stored.then_some(answer).ok_or(RefundError::TakenOver)
}

fn weigh(payment: &Payment, wish: &RefundWish) -> Result<(Write, RefundReply), RefundReply> {
    if payment.status != Status::Succeeded {
        return Err(RefundReply::NotCharged(payment.status));
    }
    let left = payment.refundable();
    let amount = wish.amount.unwrap_or(left);
    let refunding = payment.refunding.checked_add(amount).filter(|sum| *sum <= payment.amount);
    let Some(refunding) = refunding.filter(|_| amount > Money::ZERO) else {
        return Err(RefundReply::TooMuch(left));
    };
    let mut next = payment.next();
    next.refunding = refunding;
    let refund = Refund {
        id: wish.refund_id,
        payment_id: payment.id,
        key: format!("refund-{}", wish.refund_id),
        amount,
        reason: wish.reason.clone(),
        state: RefundState::Pending,
        traceparent: wish.traceparent.clone(),
        created_at: next.updated_at,
    };
    let mut write = Write::of(next).traced(wish.traceparent.as_deref());
    let (key, reason) = (refund.key.clone(), refund.reason.clone());
    write.promises = Some(NewRefund { id: Some(refund.id), key, amount, reason });
    Ok((write, RefundReply::Promised { refund: Box::new(refund), currency: payment.currency.clone() }))
}

/// What this outcome of a refund changes, in the refund's trace; `None` when it changes nothing, because it is not final or was
/// known.
pub fn refund_settled(payment: &Payment, refund: &Refund, outcome: &Outcome) -> Option<Write> {
    if refund.state != RefundState::Pending {
        return None;
    }
    let mut next = payment.next();
    let mut write = match outcome {
        Outcome::Succeeded(_) => {
            next.refunded = next.refunded.checked_add(refund.amount)?;
            Write::of(next)
        }
        Outcome::Declined(_) | Outcome::Invalid(_) => {
            next.refunding = next.refunding.checked_sub(refund.amount)?;
            Write::of(next)
        }
        Outcome::ActionRequired(_) | Outcome::Pending => return None,
    };
    match outcome {
        Outcome::Succeeded(_) => write.event = Some(Event::refunded(&write.payment, refund.id, refund.amount)),
        // What a refund of an administrator's could not give back still has to go back with a cancelled order; the
        // order's own refund, refused for good, would only be refused again.
        _ if payment.order_cancelled && !refund.key.starts_with("cancel-") => {
            let key = format!("{}-{}", cancel_key(payment.order_id), refund.id);
            write.promises = promise_the_rest(&mut write.payment, key);
        }
        _ => {}
    }
    let (succeeded, result) = match outcome {
        Outcome::Succeeded(id) => (true, id.clone()),
        Outcome::Declined(why) | Outcome::Invalid(why) | Outcome::ActionRequired(why) => (false, why.clone()),
        Outcome::Pending => return None,
    };
    write.settles = Some(SettledRefund { id: refund.id, succeeded, result });
    Some(write.traced(refund.traceparent.as_deref()))
}

/// Stores what this outcome of a refund changes.
pub async fn settle_refund<P: Payments>(
    ports: &P,
    refund_id: i64,
    outcome: &Outcome,
    cause: Option<&str>,
) -> Result<(), RefundError> {
    for _ in 0..MAX_TRIES {
        let refund = ports.refund(refund_id).await?.ok_or(RefundError::NotFound)?;
        let payment = ports.find(refund.payment_id).await?.ok_or(RefundError::NotFound)?;
        let Some(write) = refund_settled(&payment, &refund, outcome) else {
            return Ok(());
        };
        if ports.write(&write.caused_by(cause)).await? != Written::Outrun {
            return Ok(());
        }
    }
    Err(RefundError::Contended)
}

#[cfg(test)]
#[path = "refund_tests.rs"]
mod tests;
