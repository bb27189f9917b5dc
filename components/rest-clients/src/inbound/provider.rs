//! `shop:payments/provider`.

use kit::internal::Octets;

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::provider::{ChargeRequest, Error, Guest, Notice, Outcome, RefundRequest};
use crate::domain::question::Manner;
use crate::outbound::{NOTHING, PROVIDER, Unanswered};

impl Guest for Component {
    async fn name() -> String {
        PROVIDER.ask("provider/name", NOTHING, Manner::REPEATABLE).await.unwrap_or_default()
    }

    async fn charge(request: ChargeRequest) -> Result<Outcome, Error> {
        PROVIDER.ask("provider/charge", &(request,), Manner::ONCE).await?
    }

    async fn refund(request: RefundRequest) -> Result<Outcome, Error> {
        PROVIDER.ask("provider/refund", &(request,), Manner::ONCE).await?
    }

    async fn find(provider: String, key: String) -> Result<Outcome, Error> {
        PROVIDER.ask("provider/find", &(provider, key), Manner::PATIENT).await?
    }

    async fn withdraw(provider: String, key: String) -> Result<Outcome, Error> {
        PROVIDER.ask("provider/withdraw", &(provider, key), Manner::PATIENT).await?
    }

    /// Whoever sent the webhook sends it again.
    async fn verify_webhook(headers: Vec<(String, String)>, body: Vec<u8>) -> Result<Notice, Error> {
        PROVIDER.ask("provider/verify-webhook", &(headers, Octets(body)), Manner::ONCE).await?
    }
}

impl From<Unanswered> for Error {
    /// The money may have moved or not.
    fn from(unanswered: Unanswered) -> Self {
        Self::Unavailable(unanswered.to_string())
    }
}
