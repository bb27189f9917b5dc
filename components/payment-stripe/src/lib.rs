//! A payment provider that moves money through [Stripe](https://docs.stripe.com/api): payment intents and refunds.
//!
//! It exports `shop:payments/provider`, also over HTTP ([`inbound::internal`]). The token of a charge is what Stripe's form gave the customer: a payment method
//! (`pm_…`), a confirmation token (`ctoken_…`) or a token (`tok_…`).
//!
//! | variable | what it is |
//! |---|---|
//! | `stripe_api_url` | where Stripe is: `https://api.stripe.com`, or a stand-in |
//! | `stripe_secret_key` | the account's secret key, or a restricted one that may write payment intents and refunds |
//! | `stripe_webhook_secret` | the signing secret of the webhook endpoint |
//! | `stripe_return_url` | where a customer comes back to after an action; without it, what needs an action is declined |
//! | `stripe_timeout_ms` | how long one call may take; less than the payments wait for their provider |
//!
//! Stripe is to send the events `payment_intent.succeeded`, `payment_intent.payment_failed`,
//! `payment_intent.requires_action`, `payment_intent.canceled`, `refund.updated` and `refund.failed` to
//! `/api/v1/payments/webhooks/stripe`. Others are acknowledged and have no effect. None is needed for a payment to be
//! settled: the payments ask about each until they know. Only that a refund failed after it had succeeded is told by an
//! event alone.
//!
//! # Why a key moves money once
//!
//! Stripe keeps an answer under its `Idempotency-Key` for a day, and forgets it then, so that key alone is no promise. A
//! charge is therefore made in two steps. The first creates a payment intent, which moves nothing, and its id is stored;
//! the second confirms that intent and no other. An intent succeeds once, whoever confirms it how often and when; what
//! became of it is asked of the intent itself, and a cancelled one never succeeds. A refund has no such object before it
//! is made: it carries the payments' key as metadata, and one that may have been made before is looked for among the
//! intent's refunds first.

mod bindings;
pub mod domain;
pub mod inbound;
pub mod outbound;

#[cfg(target_family = "wasm")]
#[spin_sdk::http_service]
async fn handle(request: spin_sdk::http::Request) -> impl spin_sdk::http::IntoResponse {
    inbound::internal::answer(request).await
}
