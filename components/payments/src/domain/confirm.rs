//! Paying: the attempt is committed first, then the provider is asked, and what it answers closes the attempt.

use super::attempt::{Attempt, AttemptState, Outcome, attempt_key};
use super::payment::{Payment, Status};
use super::ports::{Customers, Keyed, Provider, StoreError, Unavailable};
use super::settle::settled;
use super::token::Token;
use super::write::{NewAttempt, Write, Written};

/// How often a payment is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// What a customer sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The payment that is to be made.
    pub payment_id: i64,
    /// Who makes it; another's payment is not found.
    pub user_id: i64,
    /// The provider's token.
    pub token: Token,
    /// The attempt that the idempotency key began before, if it came that far.
    pub attempt_number: Option<i64>,
    /// The trace that it belongs to.
    pub traceparent: Option<String>,
}

/// What to tell the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is paid.
    Succeeded(Payment),
    /// The provider refused, with this code.
    Declined(Payment, String),
    /// It will show; the customer may have to act at this address.
    Processing(Payment, Option<String>),
    /// The payment cannot be made now, being in this state.
    NotPayable(Status),
    /// The provider could not make sense of the token.
    Invalid(String),
    /// The account does not exist or is not active.
    NotActive,
}

/// Why there is no answer to keep; the same key may be sent again.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    /// There is no such payment, or not for this person.
    #[error("no such payment")]
    NotFound,
    /// Another attempt took the key over and answers in our place.
    #[error("another attempt has taken this key over")]
    TakenOver,
    /// Others kept changing the payment.
    #[error("the payment keeps changing")]
    Contended,
    /// Users or the provider cannot answer now, and nothing was begun.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the payment; `render` puts the reply into the words of the answer, which is stored with the deed.
pub async fn confirm<P: Keyed + Customers + Provider>(
    ports: &P,
    confirmation: &Confirmation,
    render: impl Fn(&Reply) -> P::Answer,
) -> Result<P::Answer, ConfirmError> {
    let number = match begun(ports, confirmation).await {
        Ok(Begun::Attempt(number)) => number,
        Ok(Begun::Refused(reply)) => return keep(ports, render(&reply)).await,
        Err(error) => {
            ports.release().await?;
            return Err(error);
        }
    };
    let (payment, attempt) = look(ports, confirmation.payment_id, number).await?;
    let outcome = match attempt.state {
        // No answer is no outcome: the clock finds out what became of it.
        AttemptState::Open => ports.charge(&payment, &attempt).await.unwrap_or_else(|unavailable| {
            eprintln!("warning: attempt {} stays open: {unavailable}", attempt.key);
            Outcome::Pending
        }),
        _ => Outcome::Pending,
    };
    close(ports, confirmation, number, &outcome, render).await
}

enum Begun {
    Attempt(i64),
    Refused(Reply),
}

/// Commits the attempt under its key, or finds the one that this idempotency key began before.
async fn begun<P: Keyed + Customers + Provider>(ports: &P, confirmation: &Confirmation) -> Result<Begun, ConfirmError> {
    if let Some(number) = confirmation.attempt_number {
        return Ok(Begun::Attempt(number));
    }
    if !ports.is_active(confirmation.user_id).await? {
        return Ok(Begun::Refused(Reply::NotActive));
    }
    let provider = ports.name().await?;
    for _ in 0..MAX_TRIES {
        let payment = ports.find(confirmation.payment_id).await?.ok_or(ConfirmError::NotFound)?;
        if !payment.is_payable() {
            return Ok(Begun::Refused(Reply::NotPayable(payment.status)));
        }
        let write = begin(&payment, provider.clone(), confirmation);
        if ports.write_answered(&write, None).await? != Written::Outrun {
            return Ok(Begun::Attempt(write.payment.attempts));
        }
    }
    Err(ConfirmError::Contended)
}

fn begin(payment: &Payment, provider: String, confirmation: &Confirmation) -> Write {
    let mut next = payment.next();
    next.status = Status::Processing;
    next.attempts += 1;
    let number = next.attempts;
    let key = attempt_key(payment.id, number);
    let mut write = Write::of(next).traced(confirmation.traceparent.as_deref());
    write.opens = Some(NewAttempt { number, key, provider, token: confirmation.token.clone() });
    write
}

async fn look<P: Keyed>(ports: &P, payment_id: i64, number: i64) -> Result<(Payment, Attempt), ConfirmError> {
    let payment = ports.find(payment_id).await?.ok_or(ConfirmError::NotFound)?;
    let attempt = ports.attempt(payment_id, number).await?.ok_or(ConfirmError::NotFound)?;
    Ok((payment, attempt))
}

/// Stores what the outcome changes together with the answer. Where others were first, the answer is what they found.
async fn close<P: Keyed>(
    ports: &P,
    confirmation: &Confirmation,
    number: i64,
    outcome: &Outcome,
    render: impl Fn(&Reply) -> P::Answer,
) -> Result<P::Answer, ConfirmError> {
    for _ in 0..MAX_TRIES {
        let (payment, attempt) = look(ports, confirmation.payment_id, number).await?;
        let Some(write) = settled(&payment, &attempt, outcome) else {
            return keep(ports, render(&reply(&payment, &attempt))).await;
        };
        let answer = render(&reply(&write.payment, &after(&attempt, &write)));
        match ports.write_answered(&write, Some(&answer)).await? {
            Written::Done { answered: true } => return Ok(answer),
            Written::Done { answered: false } => return Err(ConfirmError::TakenOver),
            Written::Outrun => {}
        }
    }
    Err(ConfirmError::Contended)
}

async fn keep<P: Keyed>(ports: &P, answer: P::Answer) -> Result<P::Answer, ConfirmError> {
    let stored = ports.answer(&answer).await?;
    stored.then_some(answer).ok_or(ConfirmError::TakenOver)
}

/// The attempt as the write leaves it.
fn after(attempt: &Attempt, write: &Write) -> Attempt {
    let mut attempt = attempt.clone();
    if let Some(mark) = &write.marks {
        attempt.state = mark.state;
        attempt.result.clone_from(&mark.result);
        attempt.action_url.clone_from(&mark.action_url);
    }
    attempt
}

fn reply(payment: &Payment, attempt: &Attempt) -> Reply {
    let result = attempt.result.clone().unwrap_or_default();
    match attempt.state {
        // Nobody is sent to pay for an order that has ended.
        AttemptState::Open if payment.order_cancelled => Reply::Processing(payment.clone(), None),
        AttemptState::Open => Reply::Processing(payment.clone(), attempt.action_url.clone()),
        AttemptState::Succeeded => Reply::Succeeded(payment.clone()),
        AttemptState::Declined => Reply::Declined(payment.clone(), result),
        AttemptState::Invalid => Reply::Invalid(result),
        AttemptState::Abandoned => Reply::NotPayable(payment.status),
    }
}

#[cfg(test)]
#[path = "confirm_tests.rs"]
mod tests;
