//! Payment intents, as far as this component reads them.

use serde::Deserialize;

use super::word;

/// A payment intent (<https://docs.stripe.com/api/payment_intents/object>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Object")]
pub struct Intent {
    /// `pi_…`
    pub id: String,
    /// How it stands.
    pub standing: Standing,
}

/// How an intent stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No confirmation has had an effect yet: nothing moved.
    Unconfirmed,
    /// The last confirmation was refused, for this reason.
    Declined(String),
    /// The customer must act at this address.
    ActionRequired(String),
    /// Under way.
    Pending,
    /// The money moved.
    Succeeded,
    /// Nothing moved, and nothing will: every operation on it fails from now on.
    Canceled,
}

/// What Stripe sends.
#[derive(Deserialize)]
struct Object {
    id: String,
    status: String,
    last_payment_error: Option<PaymentError>,
    next_action: Option<NextAction>,
}

#[derive(Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
}

#[derive(Deserialize)]
struct NextAction {
    redirect_to_url: Option<Redirect>,
}

#[derive(Deserialize)]
struct Redirect {
    url: Option<String>,
}

/// It is none.
#[derive(Debug, thiserror::Error)]
#[error("it has no id of an intent")]
struct NoIntent;

impl TryFrom<Object> for Intent {
    type Error = NoIntent;

    fn try_from(object: Object) -> Result<Self, NoIntent> {
        if !object.id.starts_with("pi_") || !word::is_id(&object.id) {
            return Err(NoIntent);
        }
        let standing = match (object.status.as_str(), object.last_payment_error) {
            ("succeeded", _) => Standing::Succeeded,
            ("canceled", _) => Standing::Canceled,
            ("requires_payment_method", Some(error)) => {
                Standing::Declined(word::reason(error.decline_code.as_deref(), error.code.as_deref()))
            }
            ("requires_payment_method" | "requires_confirmation", _) => Standing::Unconfirmed,
            ("requires_action", _) => action(object.next_action),
            // `processing`, `requires_capture`, and whatever Stripe may add: the money may move.
            _ => Standing::Pending,
        };
        Ok(Self { id: object.id, standing })
    }
}

/// What cannot be done at an address cannot be asked of the customer: it stays under way until it is given up.
fn action(next: Option<NextAction>) -> Standing {
    let url = next.and_then(|next| next.redirect_to_url).and_then(|redirect| redirect.url);
    url.map_or(Standing::Pending, Standing::ActionRequired)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(rest: &str) -> Standing {
        let text = format!(r#"{{"id": "pi_1", "object": "payment_intent", "amount": 3998, {rest}}}"#);
        serde_json::from_str::<Intent>(&text).unwrap().standing
    }

    #[test]
    fn each_status_says_whether_money_moved() {
        assert_eq!(standing(r#""status": "succeeded", "last_payment_error": null"#), Standing::Succeeded);
        assert_eq!(standing(r#""status": "processing""#), Standing::Pending);
        assert_eq!(standing(r#""status": "requires_capture""#), Standing::Pending);
        assert_eq!(standing(r#""status": "canceled""#), Standing::Canceled);
        assert_eq!(standing(r#""status": "requires_confirmation""#), Standing::Unconfirmed);
        assert_eq!(standing(r#""status": "something_new""#), Standing::Pending);
    }

    #[test]
    fn an_intent_without_a_method_was_declined_or_never_confirmed() {
        assert_eq!(
            standing(r#""status": "requires_payment_method", "last_payment_error": null"#),
            Standing::Unconfirmed
        );
        let error =
            r#"{"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "…"}"#;
        let declined = format!(r#""status": "requires_payment_method", "last_payment_error": {error}"#);
        assert_eq!(standing(&declined), Standing::Declined("insufficient_funds".to_owned()));
    }

    #[test]
    fn an_action_has_an_address() {
        let url = "https://hooks.stripe.com/3d_secure_2/1";
        let next = format!(
            r#""status": "requires_action", "next_action": {{"type": "redirect_to_url", "redirect_to_url": {{"return_url": "https://shop.example", "url": "{url}"}}}}"#
        );
        assert_eq!(standing(&next), Standing::ActionRequired(url.to_owned()));
        let elsewhere = r#""status": "requires_action", "next_action": {"type": "use_stripe_sdk"}"#;
        assert_eq!(standing(elsewhere), Standing::Pending);
    }

    #[test]
    fn what_is_no_intent_is_not_taken_for_one() {
        for text in
            [r#"{"id": "pi_1/cancel", "status": "succeeded"}"#, r#"{"id": "ch_1", "status": "succeeded"}"#, "{}"]
        {
            assert!(serde_json::from_str::<Intent>(text).is_err(), "{text}");
        }
    }
}
