//! Giving money back: what was asked for before is looked for first, since Stripe's memory of a request lasts a day, and
//! an answer may be lost for longer.

use super::charge::unread;
use super::outcome::{Outcome, Trouble};
use super::ports::{GivenBack, NewRefund, RefundEnding, Refunds, Refusal, Stripe};
use super::refund::{Refund, RefundStanding};

/// The account has not enough to give back just now. Once somebody has filled it up, the same refund works.
const NOT_ENOUGH: &str = "balance_insufficient";

/// Gives money back. The same key again answers with the first outcome.
pub async fn give_back<P: Stripe + Refunds>(ports: &P, new: &NewRefund) -> Result<Outcome, Trouble> {
    let ours = ports.note_refund(new).await?;
    if !ours.same_request {
        return Err(Trouble::Invalid("the key was used for another refund".to_owned()));
    }
    if let Some(ending) = &ours.ending {
        return Ok(ended(&ours, ending));
    }
    if let Some(refund) = made(ports, &ours).await? {
        return note(ports, &ours, &refund).await;
    }
    if ours.broken {
        let why = "Stripe failed at the refund, and whether the money went back comes to light within a day";
        return Err(Trouble::Unavailable(why.to_owned()));
    }
    match ports.create_refund(&ours).await {
        Ok(refund) => note(ports, &ours, &refund).await,
        Err(refusal) => refused(ports, &ours, refusal).await,
    }
}

/// What became of a refund.
pub async fn find<P: Stripe + Refunds>(ports: &P, ours: &GivenBack) -> Result<Outcome, Trouble> {
    if let Some(ending) = &ours.ending {
        return Ok(ended(ours, ending));
    }
    let refund = made(ports, ours).await?.ok_or(Trouble::NotFound)?;
    note(ports, ours, &refund).await
}

/// Notes how far Stripe's refund is.
pub async fn note<P: Refunds>(ports: &P, ours: &GivenBack, refund: &Refund) -> Result<Outcome, Trouble> {
    let ending = match &refund.standing {
        RefundStanding::Pending => None,
        RefundStanding::Succeeded => Some(RefundEnding::Succeeded),
        RefundStanding::Failed(why) => Some(RefundEnding::Failed(why.clone())),
    };
    if let (Some(RefundEnding::Succeeded), Some(RefundEnding::Failed(why))) = (&ours.ending, &ending) {
        eprintln!(
            "error: refund {} ({}) failed after it had succeeded: {why}; the customer has to get the money otherwise",
            refund.id, ours.key
        );
    }
    ports.note_made(&ours.key, Some(&refund.id), ending.as_ref()).await?;
    Ok(match ending {
        None => Outcome::Pending,
        Some(RefundEnding::Succeeded) => Outcome::Succeeded(refund.id.clone()),
        Some(RefundEnding::Failed(why)) => Outcome::Declined(why),
    })
}

/// The refund, if Stripe has made it.
async fn made<P: Stripe>(ports: &P, ours: &GivenBack) -> Result<Option<Refund>, Trouble> {
    match &ours.refund_id {
        Some(id) => ports.refund(id).await.map(Some).map_err(unread),
        None if ours.sent_before => ports.refund_for(&ours.intent_id, &ours.key).await.map_err(unread),
        None => Ok(None),
    }
}

async fn refused<P: Refunds>(ports: &P, ours: &GivenBack, refusal: Refusal) -> Result<Outcome, Trouble> {
    match refusal {
        Refusal::Invalid(complaint) if complaint.code == NOT_ENOUGH => {
            ports.renew_refund(ours).await?;
            Err(Trouble::Unavailable("the Stripe account has not enough to give back".to_owned()))
        }
        Refusal::Invalid(complaint) => fail(ports, ours, complaint.code).await,
        Refusal::Declined(code) => fail(ports, ours, code).await,
        Refusal::Broken(why) => {
            ports.note_broken(&ours.key).await?;
            Err(Trouble::Unavailable(why))
        }
        refusal => Err(unread(refusal)),
    }
}

async fn fail<P: Refunds>(ports: &P, ours: &GivenBack, code: String) -> Result<Outcome, Trouble> {
    ports.note_made(&ours.key, None, Some(&RefundEnding::Failed(code.clone()))).await?;
    Ok(Outcome::Declined(code))
}

fn ended(ours: &GivenBack, ending: &RefundEnding) -> Outcome {
    match ending {
        RefundEnding::Succeeded => Outcome::Succeeded(ours.refund_id.clone().unwrap_or_default()),
        RefundEnding::Failed(why) => Outcome::Declined(why.clone()),
    }
}

#[cfg(test)]
#[path = "give_back_tests.rs"]
mod tests;
