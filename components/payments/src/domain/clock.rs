//! What the payments do by the clock: settle lost answers, make promised refunds.

use std::time::Instant;

use futures::future::join;

use super::attempt::{Attempt, AttemptState, Outcome};
use super::payment::{Charge, Payment};
use super::ports::{Chores, Payments, Provider, StoreError, Unavailable};
use super::refund::{Refund, RefundError, settle_refund};
use super::settle::{abandoned, settled};
use super::write::{Write, Written};

/// How often a payment is looked at anew when another change came first.
const MAX_TRIES: usize = 8;

/// Looks after attempts and refunds side by side: however slow the provider is to answer about the ones, the others do not
/// wait for it. None is begun after `until`: with a silent provider they would outlive their tick.
pub async fn look_after<P: Chores + Provider>(ports: &P, until: Instant) -> Result<(), StoreError> {
    let (attempts, refunds) = join(settle_attempts(ports, until), make_refunds(ports, until)).await;
    attempts.and(refunds)
}

/// Asks the provider about its open attempts that are due, and lets each answer have its effect. Those that began with
/// another provider wait until that one is back: nobody else knows what became of them. Each is taken up when it is its
/// turn, so that the next tick finds the rest as due as this one did.
pub async fn settle_attempts<P: Chores + Provider>(ports: &P, until: Instant) -> Result<(), StoreError> {
    let Some(provider) = present(ports.name().await) else {
        return Ok(());
    };
    while Instant::now() < until {
        let Some(attempt) = ports.attempt_due(&provider).await? else {
            break;
        };
        settle_attempt(ports, &attempt).await?;
    }
    Ok(())
}

/// Asks the provider to give back what was promised, one refund at a time as well.
pub async fn make_refunds<P: Chores + Provider>(ports: &P, until: Instant) -> Result<(), StoreError> {
    let Some(provider) = present(ports.name().await) else {
        return Ok(());
    };
    while Instant::now() < until {
        let Some(refund) = ports.refund_due().await? else {
            break;
        };
        make_refund(ports, &refund, &provider).await?;
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
    let Some(payment) = ports.find(attempt.payment_id).await? else {
        return Ok(());
    };
    let outcome = match outcome_of(ports, &payment, attempt).await {
        Ok(outcome) => outcome,
        Err(unavailable) => {
            eprintln!("warning: attempt {} stays open: {unavailable}", attempt.key);
            return Ok(());
        }
    };
    match outcome {
        Some(outcome) => take_in(ports, attempt, &outcome, None).await,
        None => give_up(ports, attempt).await,
    }
}

/// What became of the attempt; `None` once nothing can come of it any more. What has not moved is sent again under its
/// key, unless nobody wants it any more: then the provider has to make sure that it does not move later.
async fn outcome_of<P: Provider>(
    ports: &P,
    payment: &Payment,
    attempt: &Attempt,
) -> Result<Option<Outcome>, Unavailable> {
    if payment.order_cancelled {
        return ports.withdraw(attempt).await;
    }
    match ports.outcome_of(attempt).await? {
        Some(outcome) => Ok(Some(outcome)),
        None => ports.charge(payment, attempt).await.map(Some),
    }
}

async fn give_up<P: Payments>(ports: &P, attempt: &Attempt) -> Result<(), StoreError> {
    apply(ports, attempt, None, |payment, attempt| {
        (attempt.state == AttemptState::Open).then(|| abandoned(payment, attempt))
    })
    .await
}

async fn make_refund<P: Chores + Provider>(ports: &P, refund: &Refund, provider: &str) -> Result<(), StoreError> {
    let Some(payment) = ports.find(refund.payment_id).await? else {
        return Ok(());
    };
    let Some(charge) = charge_with(&payment, provider) else {
        let taker = payment.provider.as_deref().unwrap_or("nobody");
        eprintln!("warning: refund {} waits until `{taker}`, which took the money, is the provider again", refund.id);
        return Ok(());
    };
    let outcome = match ports.give_back(refund, &charge).await {
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
        Ok(())
        | Err(RefundError::NotFound | RefundError::TakenOver | RefundError::Contended | RefundError::Unavailable(_)) => {
            Ok(())
        }
    }
}

/// The charge, if it is this provider's.
fn charge_with<'a>(payment: &'a Payment, provider: &str) -> Option<Charge<'a>> {
    payment.charge().filter(|charge| charge.provider == provider)
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
