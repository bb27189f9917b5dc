//! Users and the payment provider, by the interfaces that the shop's components share.

use std::time::Duration;

use kit::{settings, within};

use super::World;
use crate::bindings::shop::payments::provider;
use crate::bindings::shop::users::directory;
use crate::domain::attempt::{Attempt, Outcome};
use crate::domain::payment::Payment;
use crate::domain::ports::{Customers, Provider, Unavailable};
use crate::domain::refund::Refund;

/// How long the provider may take to answer, unless the variable `provider_timeout_ms` says otherwise.
const DEFAULT_TIMEOUT_MS: u64 = 3000;
/// How often a charge is sent under its key, within that time, when the provider stumbles.
const MAX_TRIES: usize = 3;

impl Customers for World {
    async fn is_active(&self, user_id: i64) -> Result<bool, Unavailable> {
        match directory::get_user(user_id).await {
            Ok(user) => Ok(user.active),
            Err(directory::Error::NotFound) => Ok(false),
            Err(directory::Error::Unavailable(why)) => Err(Unavailable { who: "users", why }),
        }
    }
}

impl Provider for World {
    async fn name(&self) -> Result<String, Unavailable> {
        in_time(async { Ok(provider::name().await) }).await
    }

    async fn charge(&self, payment: &Payment, attempt: &Attempt) -> Result<Outcome, Unavailable> {
        let Some(token) = &attempt.token else {
            return Err(silent("the attempt is closed and its token forgotten".to_owned()));
        };
        let request = provider::ChargeRequest {
            key: attempt.key.clone(),
            amount_minor: payment.amount.minor(),
            currency: payment.currency.clone(),
            token: token.expose().to_owned(),
            payment_id: payment.id,
        };
        in_time(charge(request)).await
    }

    async fn give_back(&self, refund: &Refund, charge_id: &str) -> Result<Outcome, Unavailable> {
        let request = provider::RefundRequest {
            key: refund.key.clone(),
            charge_id: charge_id.to_owned(),
            amount_minor: refund.amount.minor(),
        };
        in_time(async { final_or_not(provider::refund(request).await) }).await
    }

    async fn outcome_of(&self, key: &str) -> Result<Option<Outcome>, Unavailable> {
        in_time(async {
            match provider::find(key.to_owned()).await {
                Err(provider::Error::NotFound) => Ok(None),
                answer => final_or_not(answer).map(Some),
            }
        })
        .await
    }
}

/// What a webhook says, once its signature and age are found sound.
pub struct Notice {
    /// The provider's id of the message.
    pub id: String,
    /// The key of the charge or refund that it speaks of.
    pub key: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Reads a webhook; `Ok(Err(…))` says what is wrong with it.
pub async fn read_webhook(
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Result<Result<Notice, String>, Unavailable> {
    match provider::verify_webhook(headers, body).await {
        Ok(notice) => Ok(Ok(Notice { id: notice.id, key: notice.key, outcome: outcome(notice.outcome) })),
        Err(provider::Error::Invalid(how)) => Ok(Err(how)),
        Err(provider::Error::NotFound) => Ok(Err("it speaks of nothing that the provider knows".to_owned())),
        Err(provider::Error::Unavailable(why)) => Err(silent(why)),
    }
}

/// The key makes repeating harmless.
async fn charge(request: provider::ChargeRequest) -> Result<Outcome, Unavailable> {
    let mut stumbles = String::new();
    for _ in 0..MAX_TRIES {
        match provider::charge(request.clone()).await {
            Err(provider::Error::Unavailable(why)) => stumbles = why,
            answer => return final_or_not(answer),
        }
    }
    Err(silent(stumbles))
}

/// The answer, if it comes in time. What comes too late is heard by nobody, and asked for by the clock: an attempt and
/// a refund are stored with their keys before they are sent, and one key moves money once.
async fn in_time<T>(call: impl Future<Output = Result<T, Unavailable>>) -> Result<T, Unavailable> {
    let configured = settings::get_or("provider_timeout_ms", "").await;
    let timeout_ms = configured.parse().unwrap_or(DEFAULT_TIMEOUT_MS);
    let answer = within(Duration::from_millis(timeout_ms), call).await;
    answer.unwrap_or_else(|| Err(silent(format!("no answer within {timeout_ms} ms"))))
}

fn final_or_not(answer: Result<provider::Outcome, provider::Error>) -> Result<Outcome, Unavailable> {
    match answer {
        Ok(answer) => Ok(outcome(answer)),
        Err(provider::Error::Invalid(how)) => Ok(Outcome::Invalid(how)),
        Err(provider::Error::NotFound) => Ok(Outcome::Invalid("the provider knows nothing of it".to_owned())),
        Err(provider::Error::Unavailable(why)) => Err(silent(why)),
    }
}

fn outcome(outcome: provider::Outcome) -> Outcome {
    match outcome {
        provider::Outcome::Succeeded(id) => Outcome::Succeeded(id),
        provider::Outcome::Declined(code) => Outcome::Declined(code),
        provider::Outcome::ActionRequired(url) => Outcome::ActionRequired(url),
        provider::Outcome::Pending => Outcome::Pending,
    }
}

fn silent(why: String) -> Unavailable {
    Unavailable { who: "provider", why }
}
