//! Taking money: an intent is made and noted first, then confirmed, and what became of it is asked of the intent itself.

use super::intent::{Intent, Standing};
use super::outcome::{Outcome, Trouble};
use super::ports::{Charge, Charges, Ending, NewCharge, Refusal, Stripe};

/// Takes the money. The same key again answers with the first outcome.
pub async fn charge<P: Stripe + Charges>(ports: &P, new: &NewCharge) -> Result<Outcome, Trouble> {
    let charge = ports.note_charge(new).await?;
    match &charge.ending {
        Some(Ending::Withdrawn) => return Ok(Outcome::Declined("withdrawn".to_owned())),
        _ if !charge.same_request => return Err(Trouble::Invalid("the key was used for another charge".to_owned())),
        Some(ending) => return ended(&charge, ending),
        None => {}
    }
    let intent = match &charge.intent_id {
        Some(id) => ports.intent(id).await.map_err(unread)?,
        None => match ports.create_intent(new, &charge).await {
            Ok(intent) if ports.take_intent(&charge, &intent.id).await? => intent,
            Ok(_) => return Err(Trouble::Unavailable("another request for this charge is under way".to_owned())),
            Err(refusal) => return refused(ports, &charge, refusal).await,
        },
    };
    if intent.standing == Standing::Unconfirmed {
        return confirm(ports, new, &charge, &intent.id).await;
    }
    settled(ports, &charge, &intent).await?.ok_or_else(unconfirmed)
}

/// What became of a charge.
pub async fn find<P: Stripe + Charges>(ports: &P, charge: &Charge) -> Result<Outcome, Trouble> {
    if let Some(ending) = &charge.ending {
        return ended(charge, ending);
    }
    let Some(id) = &charge.intent_id else {
        return Err(Trouble::NotFound);
    };
    let intent = ports.intent(id).await.map_err(unread)?;
    settled(ports, charge, &intent).await?.ok_or(Trouble::NotFound)
}

/// Gives a charge up. Whoever is about to confirm an intent for it either has given it that intent, which is cancelled
/// here, or will find that it may not.
pub async fn withdraw<P: Stripe + Charges>(ports: &P, key: &str) -> Result<Outcome, Trouble> {
    let charge = ports.withdraw_unsent(key).await?;
    let id = match (&charge.ending, &charge.intent_id) {
        (Some(Ending::Withdrawn | Ending::Invalid(_)), _) => return Err(Trouble::NotFound),
        (Some(ending), _) => return ended(&charge, ending),
        (None, Some(id)) => id,
        (None, None) => return Err(Trouble::Unavailable("the charge is neither sent nor withdrawn".to_owned())),
    };
    let intent = match ports.cancel_intent(id).await {
        Ok(intent) => intent,
        // Too late for that, or somebody else did it: the intent tells.
        Err(Refusal::State(Some(intent))) => intent,
        Err(Refusal::State(None) | Refusal::Invalid(_)) => ports.intent(id).await.map_err(unread)?,
        Err(refusal) => return Err(unread(refusal)),
    };
    if intent.standing == Standing::Canceled {
        ports.end_charge(key, &Ending::Withdrawn).await?;
        return Err(Trouble::NotFound);
    }
    settled(ports, &charge, &intent).await?.ok_or_else(unconfirmed)
}

/// Notes how the intent stands; `None` while no confirmation has had an effect.
pub async fn settled<P: Charges>(ports: &P, charge: &Charge, intent: &Intent) -> Result<Option<Outcome>, Trouble> {
    let ending = match &intent.standing {
        Standing::Unconfirmed => return Ok(None),
        Standing::Pending => return Ok(Some(Outcome::Pending)),
        Standing::ActionRequired(url) => return Ok(Some(Outcome::ActionRequired(url.clone()))),
        Standing::Succeeded => Ending::Succeeded,
        Standing::Declined(code) => Ending::Declined(code.clone()),
        Standing::Canceled => Ending::Declined("canceled".to_owned()),
    };
    if let Some(before) = charge.ending.as_ref().filter(|before| ending == Ending::Succeeded && **before != ending) {
        eprintln!("error: {} moved money for {}, which had ended as {before:?}", intent.id, charge.key);
    }
    ports.end_charge(&charge.key, &ending).await?;
    match ending {
        Ending::Succeeded => Ok(Some(Outcome::Succeeded(intent.id.clone()))),
        Ending::Declined(code) => Ok(Some(Outcome::Declined(code))),
        Ending::Invalid(_) | Ending::Withdrawn => Ok(None),
    }
}

async fn confirm<P: Stripe + Charges>(
    ports: &P,
    new: &NewCharge,
    charge: &Charge,
    intent_id: &str,
) -> Result<Outcome, Trouble> {
    match ports.confirm_intent(intent_id, &new.method, charge).await {
        Ok(intent) => settled(ports, charge, &intent).await?.ok_or_else(unconfirmed),
        Err(refusal) => refused(ports, charge, refusal).await,
    }
}

/// What a refusal of one of the two steps means for the charge.
async fn refused<P: Charges>(ports: &P, charge: &Charge, refusal: Refusal) -> Result<Outcome, Trouble> {
    match refusal {
        Refusal::Declined(code) => {
            ports.end_charge(&charge.key, &Ending::Declined(code.clone())).await?;
            Ok(Outcome::Declined(code))
        }
        Refusal::Invalid(complaint) => {
            let how = complaint.to_string();
            ports.end_charge(&charge.key, &Ending::Invalid(how.clone())).await?;
            Err(Trouble::Invalid(how))
        }
        Refusal::State(Some(intent)) => settled(ports, charge, &intent).await?.ok_or_else(unconfirmed),
        Refusal::Broken(why) => {
            // A second intent moves nothing, and a second confirmation cannot move the money twice.
            ports.renew_charge(charge).await?;
            Err(Trouble::Unavailable(why))
        }
        refusal => Err(unread(refusal)),
    }
}

fn ended(charge: &Charge, ending: &Ending) -> Result<Outcome, Trouble> {
    match ending {
        Ending::Succeeded => Ok(Outcome::Succeeded(charge.intent_id.clone().unwrap_or_default())),
        Ending::Declined(code) => Ok(Outcome::Declined(code.clone())),
        Ending::Invalid(how) => Err(Trouble::Invalid(how.clone())),
        Ending::Withdrawn => Err(Trouble::NotFound),
    }
}

/// Nothing is known of what was asked about, whatever the reason: it has to be asked again.
pub(super) fn unread(refusal: Refusal) -> Trouble {
    Trouble::Unavailable(match refusal {
        Refusal::NoAnswer(why) | Refusal::Broken(why) => why,
        Refusal::Unknown => "Stripe knows nothing of it; is stripe_secret_key that of another account?".to_owned(),
        Refusal::Invalid(complaint) => format!("Stripe refused the request: {complaint}"),
        Refusal::Declined(code) => format!("Stripe declined: {code}"),
        Refusal::State(_) => "the state of the intent does not allow it".to_owned(),
    })
}

fn unconfirmed() -> Trouble {
    Trouble::Unavailable("the intent is still not confirmed".to_owned())
}

#[cfg(test)]
#[path = "charge_tests.rs"]
mod tests;
