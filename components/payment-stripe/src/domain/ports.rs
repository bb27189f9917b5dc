//! What the use cases need of the world: Stripe, and a memory of what was asked of it.

use std::future::Future;

use super::amount::Amount;
use super::intent::Intent;
use super::method::Method;
use super::refund::Refund;

/// The database failed.
pub use kit::Failure as StoreError;

/// Why Stripe did not do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request itself is wrong: nothing was done, and nothing will be.
    Invalid(Complaint),
    /// The card was declined, for this reason.
    Declined(String),
    /// The intent's state does not allow it; the intent as it is, where Stripe said.
    State(Option<Intent>),
    /// There is nothing with that id in this account.
    Unknown,
    /// Stripe failed, keeps that answer under the request's id, and will only repeat it. What it did is not known.
    Broken(String),
    /// No answer, or not now. The same request may be sent again.
    NoAnswer(String),
}

/// What is wrong with a request, in Stripe's short words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Such as `resource_missing`.
    pub code: String,
    /// Such as `payment_method`.
    pub param: Option<String>,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.param {
            Some(param) => write!(f, "{} ({param})", self.code),
            None => f.write_str(&self.code),
        }
    }
}

/// A charge that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCharge {
    /// The payments' key.
    pub key: String,
    /// The payment's number in the shop.
    pub payment_id: i64,
    /// How much.
    pub amount: Amount,
    /// Of whom.
    pub method: Method,
    /// Where the customer comes back to after an action.
    pub return_url: Option<String>,
}

/// A charge as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The payments' key.
    pub key: String,
    /// Whether it is what was asked for under this key the first time.
    pub same_request: bool,
    /// Where the customer comes back to, as it was when the charge began.
    pub return_url: Option<String>,
    /// Names the requests to Stripe.
    pub request_id: String,
    /// The one intent that may be confirmed.
    pub intent_id: Option<String>,
    /// How it ended.
    pub ending: Option<Ending>,
}

/// How a charge ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The money moved, by the intent of the charge.
    Succeeded,
    /// Refused for good; a code.
    Declined(String),
    /// It made no sense; how.
    Invalid(String),
    /// Given up: nothing moved, and nothing will.
    Withdrawn,
}

/// A refund that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRefund {
    /// The payments' key.
    pub key: String,
    /// The intent that took the money.
    pub intent_id: String,
    /// How much, in hundredths.
    pub amount_minor: i64,
}

/// A refund as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBack {
    /// The payments' key.
    pub key: String,
    /// The intent that took the money.
    pub intent_id: String,
    /// How much, in hundredths.
    pub amount_minor: i64,
    /// Whether it is what was asked for under this key the first time.
    pub same_request: bool,
    /// Names the requests to Stripe.
    pub request_id: String,
    /// It was asked for before, so Stripe may have made it.
    pub sent_before: bool,
    /// Stripe failed at it so recently that it may still come to light.
    pub broken: bool,
    /// Stripe's id, once it is known.
    pub refund_id: Option<String>,
    /// How it ended.
    pub ending: Option<RefundEnding>,
}

/// How a refund ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundEnding {
    /// The money went back.
    Succeeded,
    /// It could not; a code.
    Failed(String),
}

/// Stripe's API.
pub trait Stripe {
    /// Makes an intent, which moves nothing, under the charge's request id.
    fn create_intent(&self, new: &NewCharge, charge: &Charge) -> impl Future<Output = Result<Intent, Refusal>>;
    /// Takes the money, under the charge's request id.
    fn confirm_intent(
        &self,
        intent_id: &str,
        method: &Method,
        charge: &Charge,
    ) -> impl Future<Output = Result<Intent, Refusal>>;
    /// An intent as it is.
    fn intent(&self, intent_id: &str) -> impl Future<Output = Result<Intent, Refusal>>;
    /// Sees to it that an intent never succeeds.
    fn cancel_intent(&self, intent_id: &str) -> impl Future<Output = Result<Intent, Refusal>>;
    /// Gives money back, under the refund's request id.
    fn create_refund(&self, refund: &GivenBack) -> impl Future<Output = Result<Refund, Refusal>>;
    /// A refund as it is.
    fn refund(&self, refund_id: &str) -> impl Future<Output = Result<Refund, Refusal>>;
    /// The refund of this intent that was made for this key of the payments.
    fn refund_for(&self, intent_id: &str, key: &str) -> impl Future<Output = Result<Option<Refund>, Refusal>>;
}

/// The charges that were asked of Stripe. Each call is one statement, and takes effect as a whole.
pub trait Charges {
    /// Notes a charge, or finds the one with this key.
    fn note_charge(&self, new: &NewCharge) -> impl Future<Output = Result<Charge, StoreError>>;
    /// The charge with this key.
    fn charge(&self, key: &str) -> impl Future<Output = Result<Option<Charge>, StoreError>>;
    /// The charge to which this intent belongs.
    fn charge_of(&self, intent_id: &str) -> impl Future<Output = Result<Option<Charge>, StoreError>>;
    /// Gives the charge its intent; `false` when it has one or has ended, or its requests have another id by now.
    fn take_intent(&self, charge: &Charge, intent_id: &str) -> impl Future<Output = Result<bool, StoreError>>;
    /// Gives the charge's requests another id, unless they have one already.
    fn renew_charge(&self, charge: &Charge) -> impl Future<Output = Result<(), StoreError>>;
    /// Ends a charge that has not ended. That money moved is noted in any case.
    fn end_charge(&self, key: &str, ending: &Ending) -> impl Future<Output = Result<(), StoreError>>;
    /// Ends a charge that has no intent, or was never asked for; returns it as it is then.
    fn withdraw_unsent(&self, key: &str) -> impl Future<Output = Result<Charge, StoreError>>;
}

/// The refunds that were asked of Stripe. Each call is one statement, and takes effect as a whole.
pub trait Refunds {
    /// Notes a refund, or finds the one with this key and notes that it is asked for again.
    fn note_refund(&self, new: &NewRefund) -> impl Future<Output = Result<GivenBack, StoreError>>;
    /// The refund with this key.
    fn given_back(&self, key: &str) -> impl Future<Output = Result<Option<GivenBack>, StoreError>>;
    /// The refund of ours that this one of Stripe's is.
    fn given_back_by(&self, refund: &Refund) -> impl Future<Output = Result<Option<GivenBack>, StoreError>>;
    /// Gives the refund's requests another id, unless they have one already.
    fn renew_refund(&self, refund: &GivenBack) -> impl Future<Output = Result<(), StoreError>>;
    /// Notes that Stripe failed at it.
    fn note_broken(&self, key: &str) -> impl Future<Output = Result<(), StoreError>>;
    /// Notes Stripe's id of a refund and, if it has ended, how.
    fn note_made(
        &self,
        key: &str,
        refund_id: Option<&str>,
        ending: Option<&RefundEnding>,
    ) -> impl Future<Output = Result<(), StoreError>>;
}

#[cfg(test)]
#[path = "ports_fake.rs"]
pub(crate) mod fake;
