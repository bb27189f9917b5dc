//! What is answered.

use serde_json::{Value, json};

/// A status and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// It is the answer to an earlier request with the same idempotency key.
    pub replayed: bool,
}

impl Answer {
    /// 200 with an object.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, replayed: false }
    }

    /// An error of this type.
    pub fn error(status: u16, error: Value) -> Self {
        Self { status, body: json!({ "error": error }), replayed: false }
    }

    /// A request that is wrong in itself.
    pub fn invalid(status: u16, code: &str, param: &str, message: &str) -> Self {
        let error = json!({"type": "invalid_request_error", "code": code, "param": param, "message": message});
        Self::error(status, error)
    }

    /// The card was declined.
    pub fn declined(decline_code: &str, intent: &Value) -> Self {
        let error = json!({
            "type": "card_error", "code": "card_declined", "decline_code": decline_code,
            "message": "Your card was declined.", "payment_intent": intent,
        });
        Self::error(402, error)
    }

    /// The intent's state does not allow what was asked.
    pub fn unexpected_state(intent: &Value) -> Self {
        let message = format!("This PaymentIntent has a status of {}", intent["status"]);
        let error = json!({
            "type": "invalid_request_error", "code": "payment_intent_unexpected_state",
            "message": message, "payment_intent": intent,
        });
        Self::error(400, error)
    }

    /// The key is not the account's.
    pub fn unauthorized() -> Self {
        Self::error(401, json!({"type": "invalid_request_error", "message": "Invalid API Key provided: sk_*****"}))
    }

    /// Somebody else is at the same object.
    pub fn locked() -> Self {
        let message = "This object cannot be accessed right now because another API request is accessing it";
        Self::invalid(429, "lock_timeout", "", message)
    }

    /// Another request with this idempotency key is under way.
    pub fn in_use() -> Self {
        let message = "There is currently another in-progress request using this idempotent key";
        Self::invalid(409, "idempotency_key_in_use", "", message)
    }

    /// The idempotency key was first used for something else.
    pub fn used_otherwise() -> Self {
        let message =
            "Keys for idempotent requests can only be used with the same parameters they were first used with.";
        Self::error(400, json!({"type": "idempotency_error", "message": message}))
    }

    /// Stripe failed.
    pub fn failed(status: u16) -> Self {
        Self::error(status, json!({"type": "api_error", "message": "An unknown error occurred"}))
    }
}
