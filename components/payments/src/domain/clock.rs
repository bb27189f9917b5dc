//! What the payments do by the clock: settle lost answers, make promised refunds.

use std::time::Instant;

use chrono::{DateTime, Duration, Utc};

use super::attempt::{Attempt, AttemptState, Outcome};
use super::payment::Payment;
use super::ports::{Chores, Payments, Provider, StoreError, Unavailable};
use super::refund::{Refund, RefundError, settle_refund};
use super::settle::{abandoned, settled};
use super::write::{Write, Written};

/// Attempts and refunds looked after in one tick, which bounds its time.
const BATCH: i64 = 50;
/// After this time no request to the provider can still be on its way: what it does not know, it will not learn.
const SILENCE_SECONDS: i64 = 60;
/// How often a payment is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// Asks the provider about open attempts that are due, and lets each answer have its effect. None is begun after
/// `until`: with a silent provider a batch would outlive its tick. The next tick takes the rest up.
pub async fn settle_attempts<P: Chores + Provider>(ports: &P, until: Instant) -> Result<(), StoreError> {
    let attempts = ports.attempts_due(BATCH).await?;
    if attempts.is_empty() {
        return Ok(());
    }
    let Some(provider) = present(ports.name().await) else {
        return Ok(());
    };
    for attempt in attempts.iter().filter(|attempt| attempt.provider == provider) {
        if Instant::now() >= until {
            break;
        }
        settle_attempt(ports, attempt).await?;
    }
    Ok(())
}

/// Asks the provider to give back what was promised. None is begun after `until`.
pub async fn make_refunds<P: Chores + Provider>(ports: &P, until: Instant) -> Result<(), StoreError> {
    if Instant::now() >= until {
        return Ok(());
    }
    let refunds = ports.refunds_due(BATCH).await?;
    if refunds.is_empty() {
        return Ok(());
    }
    let Some(provider) = present(ports.name().await) else {
        return Ok(());
    };
    for refund in &refunds {
        if Instant::now() >= until {
            break;
        }
        make_refund(ports, refund, &provider).await?;
    }
    Ok(())
}

/// Lets an outcome of the attempt with this number have its effect; `cause` is the webhook that told of it.
pub async fn take_in<P: Payments>(
    ports: &P,
    attempt: &Attempt,
    outcome: &Outcome,
    cause: Option<&str>,
) -> Result<(), StoreError> {
    apply(ports, attempt, cause, |payment, attempt| settled(payment, attempt, outcome)).await
}

async fn settle_attempt<P: Chores + Provider>(ports: &P, attempt: &Attempt) -> Result<(), StoreError> {
    let found = match ports.outcome_of(&attempt.key).await {
        Ok(found) => found,
        Err(unavailable) => {
            eprintln!("warning: attempt {} stays open: {unavailable}", attempt.key);
            return Ok(());
        }
    };
    match found {
        Some(outcome) => take_in(ports, attempt, &outcome, None).await,
        None => never_arrived(ports, attempt).await,
    }
}

/// The provider never heard of it: it is sent again under the same key, unless nobody wants it any more.
async fn never_arrived<P: Chores + Provider>(ports: &P, attempt: &Attempt) -> Result<(), StoreError> {
    let Some(payment) = ports.find(attempt.payment_id).await? else {
        return Ok(());
    };
    if payment.order_cancelled {
        if is_silent(attempt.sent_at, Utc::now()) {
            apply(ports, attempt, None, |payment, attempt| {
                (attempt.state == AttemptState::Open).then(|| abandoned(payment, attempt))
            })
            .await?;
        }
        return Ok(());
    }
    ports.sent_again(attempt).await?;
    match ports.charge(&payment, attempt).await {
        Ok(outcome) => take_in(ports, attempt, &outcome, None).await,
        Err(unavailable) => {
            eprintln!("warning: attempt {} stays open: {unavailable}", attempt.key);
            Ok(())
        }
    }
}

fn is_silent(sent_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - sent_at > Duration::seconds(SILENCE_SECONDS)
}

async fn make_refund<P: Chores + Provider>(ports: &P, refund: &Refund, provider: &str) -> Result<(), StoreError> {
    let Some(payment) = ports.find(refund.payment_id).await? else {
        return Ok(());
    };
    let Some(charge_id) = charge_with(&payment, provider) else {
        eprintln!("warning: refund {} waits for the provider that took the money", refund.id);
        return Ok(());
    };
    let outcome = match ports.give_back(refund, charge_id).await {
        Ok(outcome) => outcome,
        Err(unavailable) => {
            eprintln!("warning: refund {} is tried again later: {unavailable}", refund.id);
            return Ok(());
        }
    };
    if let Outcome::Declined(why) | Outcome::Invalid(why) = &outcome {
        eprintln!("error: the provider refused refund {} for good: {why}", refund.id);
    }
    match settle_refund(ports, refund.id, &outcome, None).await {
        Err(RefundError::Store(error)) => Err(error),
        // What was not stored is asked for again, under the same key.
        Ok(()) | Err(RefundError::NotFound | RefundError::TakenOver | RefundError::Contended) => Ok(()),
    }
}

/// The charge's id, if it is this provider's.
fn charge_with<'a>(payment: &'a Payment, provider: &str) -> Option<&'a str> {
    payment.charge_id.as_deref().filter(|_| payment.provider.as_deref() == Some(provider))
}

fn present(name: Result<String, Unavailable>) -> Option<String> {
    name.map_err(|unavailable| eprintln!("warning: {unavailable}")).ok()
}

/// Makes the change that `change` sees fit, looking anew when another one came first; the next tick goes on where
/// even that did not help.
async fn apply<P: Payments>(
    ports: &P,
    attempt: &Attempt,
    cause: Option<&str>,
    change: impl Fn(&Payment, &Attempt) -> Option<Write>,
) -> Result<(), StoreError> {
    for _ in 0..MAX_TRIES {
        let payment = ports.find(attempt.payment_id).await?;
        let attempt = ports.attempt(attempt.payment_id, attempt.number).await?;
        let (Some(payment), Some(attempt)) = (payment, attempt) else {
            return Ok(());
        };
        let Some(write) = change(&payment, &attempt) else {
            return Ok(());
        };
        if ports.write(&write.caused_by(cause)).await? != Written::Outrun {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
