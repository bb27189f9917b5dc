//! Refunds, as far as this component reads them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::word;

/// The metadata that carries the payments' key.
pub const KEY: &str = "shop_key";

/// A refund (<https://docs.stripe.com/api/refunds/object>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Object")]
pub struct Refund {
    /// `re_…`
    pub id: String,
    /// The intent that it is of.
    pub intent_id: Option<String>,
    /// The payments' key, if it was made for one.
    pub key: Option<String>,
    /// How far it is.
    pub standing: RefundStanding,
}

/// How far a refund is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundStanding {
    /// On its way.
    Pending,
    /// The money went back. A bank may still return it.
    Succeeded,
    /// It could not go back, for this reason.
    Failed(String),
}

#[derive(Deserialize)]
struct Object {
    id: String,
    status: Option<String>,
    failure_reason: Option<String>,
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// It is none.
#[derive(Debug, thiserror::Error)]
#[error("it has no id of a refund")]
struct NoRefund;

impl TryFrom<Object> for Refund {
    type Error = NoRefund;

    fn try_from(mut object: Object) -> Result<Self, NoRefund> {
        if !word::is_id(&object.id) {
            return Err(NoRefund);
        }
        let standing = match object.status.as_deref() {
            Some("succeeded") => RefundStanding::Succeeded,
            Some(status @ ("failed" | "canceled")) => {
                RefundStanding::Failed(word::reason(object.failure_reason.as_deref(), Some(status)))
            }
            _ => RefundStanding::Pending,
        };
        Ok(Self { id: object.id, intent_id: object.payment_intent, key: object.metadata.remove(KEY), standing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rest: &str) -> Refund {
        serde_json::from_str(&format!(r#"{{"id": "re_1", "object": "refund", {rest}}}"#)).unwrap()
    }

    #[test]
    fn each_status_says_whether_the_money_went_back() {
        let standing = |rest: &str| read(rest).standing;
        assert_eq!(standing(r#""status": "succeeded""#), RefundStanding::Succeeded);
        assert_eq!(standing(r#""status": "pending", "pending_reason": "processing""#), RefundStanding::Pending);
        assert_eq!(standing(r#""status": "requires_action""#), RefundStanding::Pending);
        assert_eq!(
            standing(r#""status": "failed", "failure_reason": "expired_or_canceled_card""#),
            RefundStanding::Failed("expired_or_canceled_card".to_owned())
        );
        assert_eq!(standing(r#""status": "canceled""#), RefundStanding::Failed("canceled".to_owned()));
    }

    #[test]
    fn it_carries_the_key_it_was_made_for() {
        let refund = read(r#""status": null, "payment_intent": "pi_1", "metadata": {"shop_key": "refund-7"}"#);
        assert_eq!((refund.key.as_deref(), refund.intent_id.as_deref()), (Some("refund-7"), Some("pi_1")));
        assert_eq!(read(r#""metadata": {}"#).key, None);
    }
}
