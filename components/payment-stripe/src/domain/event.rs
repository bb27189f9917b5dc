//! What Stripe tells by itself (<https://docs.stripe.com/api/events>).

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::charge::settled;
use super::give_back::note;
use super::intent::Intent;
use super::outcome::{Outcome, Trouble};
use super::ports::{Charges, Refunds};
use super::refund::Refund;

/// An event, as far as this component reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// `evt_…`, the same when it is sent again.
    pub id: String,
    /// What it speaks of.
    pub subject: Subject,
}

/// What an event speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An intent, as it was when the event happened.
    Intent(Intent),
    /// A refund, as it was when the event happened.
    Refund(Refund),
    /// Something that is nothing to us.
    Other,
}

/// What an event says of a charge or refund of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The event's id.
    pub id: String,
    /// The payments' key.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// The body is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its body is no event of Stripe's")]
pub struct Unreadable;

#[derive(Deserialize)]
struct Envelope {
    id: String,
    r#type: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    object: Option<Value>,
}

impl Event {
    /// The event in this body, whose signature was found sound.
    pub fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let envelope: Envelope = serde_json::from_slice(body).map_err(|_| Unreadable)?;
        let object = envelope.data.and_then(|data| data.object);
        let subject = match envelope.r#type.as_str() {
            kind if kind.starts_with("payment_intent.") => Subject::Intent(typed(object)?),
            kind if kind.starts_with("refund.") => Subject::Refund(typed(object)?),
            "charge.refund.updated" => Subject::Refund(typed(object)?),
            _ => Subject::Other,
        };
        Ok(Self { id: envelope.id, subject })
    }
}

fn typed<T: DeserializeOwned>(object: Option<Value>) -> Result<T, Unreadable> {
    serde_json::from_value(object.ok_or(Unreadable)?).map_err(|_| Unreadable)
}

/// Notes what an event says. What is not ours, or says nothing new, is not found: an account may serve more than this
/// shop.
pub async fn take<P: Charges + Refunds>(ports: &P, event: &Event) -> Result<Notice, Trouble> {
    let (key, outcome) = match &event.subject {
        Subject::Intent(intent) => {
            let charge = ports.charge_of(&intent.id).await?.ok_or(Trouble::NotFound)?;
            let outcome = settled(ports, &charge, intent).await?.ok_or(Trouble::NotFound)?;
            (charge.key, outcome)
        }
        Subject::Refund(refund) => {
            let ours = ports.given_back_by(refund).await?.ok_or(Trouble::NotFound)?;
            let outcome = note(ports, &ours, refund).await?;
            (ours.key, outcome)
        }
        Subject::Other => return Err(Trouble::NotFound),
    };
    Ok(Notice { id: event.id.clone(), key, outcome })
}

#[cfg(test)]
#[path = "event_tests.rs"]
mod tests;
