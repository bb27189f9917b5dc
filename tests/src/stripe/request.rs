//! What was asked.

use std::collections::BTreeMap;

use super::{Step, answer::Answer};

/// Parameters by name.
pub type Form = BTreeMap<String, String>;

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What it asks for.
    pub step: Step,
    /// Its path, without the query.
    pub path: String,
    /// Its parameters, be they in the body or the query.
    pub form: Form,
    /// `Idempotency-Key`
    pub idempotency_key: Option<String>,
    /// `Stripe-Version`
    pub version: String,
}

impl Request {
    /// The request, or the answer that tells what is wrong with it.
    pub fn read(head: &hyper::http::request::Parts, body: &[u8]) -> Result<Self, Answer> {
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header("authorization") != format!("Bearer {}", super::SECRET_KEY) {
            return Err(Answer::unauthorized());
        }
        let path = head.uri.path().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        let step = match (head.method.as_str(), parts.as_slice()) {
            ("POST", ["", "v1", "payment_intents"]) => Step::Create,
            ("POST", ["", "v1", "payment_intents", _, "confirm"]) => Step::Confirm,
            ("POST", ["", "v1", "payment_intents", _, "cancel"]) => Step::Cancel,
            ("GET", ["", "v1", "payment_intents", _]) => Step::Read,
            ("POST", ["", "v1", "refunds"]) => Step::Refund,
            ("GET", ["", "v1", "refunds", _]) => Step::ReadRefund,
            ("GET", ["", "v1", "refunds"]) => Step::List,
            _ => return Err(Answer::invalid(404, "", "", "Unrecognized request URL")),
        };
        if head.method == "POST" && header("content-type") != "application/x-www-form-urlencoded" {
            return Err(Answer::invalid(400, "", "", "the body is not form-encoded"));
        }
        let text = if head.method == "POST" { body } else { head.uri.query().unwrap_or_default().as_bytes() };
        let form: Form = form_urlencoded(text);
        if let Some(unknown) = form.keys().find(|name| !parameters(step).contains(&name.as_str())) {
            return Err(Answer::invalid(400, "parameter_unknown", unknown, "Received unknown parameter"));
        }
        let idempotency_key = head.headers.get("idempotency-key").map(|_| header("idempotency-key").to_owned());
        Ok(Self { step, path, form, idempotency_key, version: header("stripe-version").to_owned() })
    }

    /// The id in its path.
    pub fn id(&self) -> &str {
        self.path.split('/').nth(3).unwrap_or_default()
    }

    /// A parameter, empty where it is missing.
    pub fn parameter(&self, name: &str) -> &str {
        self.form.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// The parameters that each request may have.
fn parameters(step: Step) -> &'static [&'static str] {
    match step {
        Step::Create => &[
            "amount",
            "currency",
            "automatic_payment_methods[enabled]",
            "automatic_payment_methods[allow_redirects]",
            "metadata[shop_key]",
            "metadata[shop_payment_id]",
        ],
        Step::Confirm => &[
            "payment_method",
            "payment_method_data[type]",
            "payment_method_data[card][token]",
            "confirmation_token",
            "return_url",
            "error_on_requires_action",
        ],
        Step::Cancel => &["cancellation_reason"],
        Step::Refund => &["payment_intent", "amount", "metadata[shop_key]"],
        Step::List => &["payment_intent", "limit", "starting_after"],
        Step::Read | Step::ReadRefund => &[],
    }
}

fn form_urlencoded(text: &[u8]) -> Form {
    serde_urlencoded::from_bytes::<Vec<(String, String)>>(text).unwrap_or_default().into_iter().collect()
}
