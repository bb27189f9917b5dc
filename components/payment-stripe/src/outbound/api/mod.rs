//! Stripe's API: which request each step is.

mod answer;
mod form;
mod send;

use serde::Deserialize;

pub use send::Api;

use super::World;
use crate::domain::intent::Intent;
use crate::domain::method::Method;
use crate::domain::ports::{Charge, GivenBack, NewCharge, Refusal, Stripe};
use crate::domain::refund::Refund;
use send::Request;

/// Refunds asked for at a time, which is the most that Stripe sends.
const PAGE: usize = 100;
/// Pages looked through for a refund; a payment has a handful of refunds.
const PAGES: usize = 10;

impl Stripe for World {
    async fn create_intent(&self, new: &NewCharge, charge: &Charge) -> Result<Intent, Refusal> {
        let form = form::intent(new, charge.return_url.is_some());
        let request_id = format!("{}-create", charge.request_id);
        self.api.ask(Request::post("/v1/payment_intents", form).once(request_id)).await
    }

    async fn confirm_intent(&self, intent_id: &str, method: &Method, charge: &Charge) -> Result<Intent, Refusal> {
        let form = form::confirmation(method, charge.return_url.as_deref());
        let request_id = format!("{}-confirm", charge.request_id);
        self.api.ask(Request::post(format!("/v1/payment_intents/{intent_id}/confirm"), form).once(request_id)).await
    }

    async fn intent(&self, intent_id: &str) -> Result<Intent, Refusal> {
        self.api.ask(Request::get(format!("/v1/payment_intents/{intent_id}"))).await
    }

    async fn cancel_intent(&self, intent_id: &str) -> Result<Intent, Refusal> {
        // Without an idempotency key: cancelling twice is harmless, and a kept failure would only be in the way.
        self.api.ask(Request::post(format!("/v1/payment_intents/{intent_id}/cancel"), form::cancellation())).await
    }

    async fn create_refund(&self, refund: &GivenBack) -> Result<Refund, Refusal> {
        let request_id = format!("{}-refund", refund.request_id);
        self.api.ask(Request::post("/v1/refunds", form::refund(refund)).once(request_id)).await
    }

    async fn refund(&self, refund_id: &str) -> Result<Refund, Refusal> {
        self.api.ask(Request::get(format!("/v1/refunds/{refund_id}"))).await
    }

    async fn refund_for(&self, intent_id: &str, key: &str) -> Result<Option<Refund>, Refusal> {
        let mut after = None;
        for _ in 0..PAGES {
            let query = form::refunds_of(intent_id, PAGE, after.as_deref());
            let page: List = self.api.ask(Request::get(format!("/v1/refunds?{query}"))).await?;
            after = page.data.last().map(|refund| refund.id.clone()).filter(|_| page.has_more);
            let found = page.data.into_iter().find(|refund| refund.key.as_deref() == Some(key));
            if found.is_some() || after.is_none() {
                return Ok(found);
            }
        }
        Err(Refusal::NoAnswer(format!("{intent_id} has more than {} refunds", PAGE * PAGES)))
    }
}

/// A page of a list (<https://docs.stripe.com/api/pagination>).
#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Refund>,
    has_more: bool,
}
