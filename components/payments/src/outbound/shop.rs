//! Users and the payment provider, by the interfaces that the shop's components share.

use std::time::Duration;

use kit::{Directory, Role, settings, within};

use super::World;
use crate::bindings::shop::payments::provider;
use crate::domain::attempt::{Attempt, Outcome};
use crate::domain::payment::{Charge, Payment};
use crate::domain::ports::{Administrators, Customers, Provider, Unavailable};
use crate::domain::refund::Refund;

/// How long the provider may take to answer, unless the variable `provider_timeout_ms` says otherwise.
const DEFAULT_TIMEOUT_MS: u64 = 3000;
/// How often a charge is sent under its key, within that time, when the provider stumbles.
const MAX_TRIES: usize = 3;

kit::directory!(World, crate::bindings::shop::users::directory);

impl Customers for World {
    async fn is_active(&self, user_id: i64) -> Result<bool, Unavailable> {
        Ok(Self::role(user_id).await?.is_some())
    }
}

impl Administrators for World {
    async fn is_administrator(&self, user_id: i64) -> Result<bool, Unavailable> {
        Ok(Self::role(user_id).await? == Some(Role::Admin))
    }
}

impl Provider for World {
    async fn name(&self) -> Result<String, Unavailable> {
        in_time(provider_name()).await
    }

    async fn charge(&self, payment: &Payment, attempt: &Attempt) -> Result<Outcome, Unavailable> {
        let Some(token) = &attempt.token else {
            return Err(silent("the attempt is closed and its token forgotten".to_owned()));
        };
        let request = provider::ChargeRequest {
            provider: attempt.provider.clone(),
            key: attempt.key.clone(),
            amount_minor: payment.amount.minor(),
            currency: payment.currency.clone(),
            token: token.expose().to_owned(),
            payment_id: payment.id,
        };
        in_time(charge(request)).await
    }

    async fn give_back(&self, refund: &Refund, charge: &Charge<'_>) -> Result<Outcome, Unavailable> {
        let request = provider::RefundRequest {
            provider: charge.provider.to_owned(),
            key: refund.key.clone(),
            charge_id: charge.id.to_owned(),
            amount_minor: refund.amount.minor(),
        };
        in_time(async { final_or_not(provider::refund(request).await) }).await
    }

    async fn outcome_of(&self, attempt: &Attempt) -> Result<Option<Outcome>, Unavailable> {
        let (provider, key) = (attempt.provider.clone(), attempt.key.clone());
        in_time(async { found(provider::find(provider, key).await) }).await
    }

    async fn withdraw(&self, attempt: &Attempt) -> Result<Option<Outcome>, Unavailable> {
        let (provider, key) = (attempt.provider.clone(), attempt.key.clone());
        in_time(async { found(provider::withdraw(provider, key).await) }).await
    }
}

/// Whether the provider answers, asked about a key that nobody has.
pub async fn provider_answers() -> Result<(), Unavailable> {
    in_time(async { found(provider::find(provider_name().await?, String::new()).await).map(drop) }).await
}

/// An attempt under a name that is none would wait for ever for a provider of that name.
async fn provider_name() -> Result<String, Unavailable> {
    let name = provider::name().await;
    if name.is_empty() { Err(silent("it does not tell its name".to_owned())) } else { Ok(name) }
}

/// What there is to a webhook.
pub enum Webhook {
    /// It is sound, and says this.
    Notice(Notice),
    /// It is sound, and speaks of nothing that the shop has asked for.
    OfNothing,
    /// It is not to be believed, for this reason.
    Unsound(String),
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

/// Has the provider check a webhook, and read it.
pub async fn read_webhook(headers: Vec<(String, String)>, body: Vec<u8>) -> Result<Webhook, Unavailable> {
    match provider::verify_webhook(headers, body).await {
        Ok(notice) => Ok(Webhook::Notice(Notice { id: notice.id, key: notice.key, outcome: outcome(notice.outcome) })),
        Err(provider::Error::Invalid(how)) => Ok(Webhook::Unsound(how)),
        Err(provider::Error::NotFound) => Ok(Webhook::OfNothing),
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

fn found(answer: Result<provider::Outcome, provider::Error>) -> Result<Option<Outcome>, Unavailable> {
    match answer {
        Err(provider::Error::NotFound) => Ok(None),
        answer => final_or_not(answer).map(Some),
    }
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
