//! The interface `shop:payments/provider`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kit::{settings, within};

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::provider::{self, ChargeRequest, Error, Guest, Notice, RefundRequest};
use crate::domain::amount::Amount;
use crate::domain::event::{self, Event};
use crate::domain::method::Method;
use crate::domain::ports::{Charges, NewCharge, NewRefund, Refunds};
use crate::domain::{Outcome, Trouble, charge, give_back, signature, word};
use crate::outbound::World;
use crate::outbound::api::Api;

/// The provider's name, as payments remember it.
const NAME: &str = "stripe";
/// Where Stripe is, unless the variable `stripe_api_url` says otherwise.
const API_URL: &str = "https://api.stripe.com";
/// How long one call may take, unless the variable `stripe_timeout_ms` says otherwise.
const TIMEOUT_MS: u64 = 2500;

impl Guest for Component {
    async fn name() -> String {
        NAME.to_owned()
    }

    async fn charge(request: ChargeRequest) -> Result<provider::Outcome, Error> {
        let ChargeRequest { provider, key, amount_minor, currency, token, payment_id } = request;
        let world = world(&provider).await?;
        let amount = Amount::parse(amount_minor, &currency).map_err(invalid)?;
        let method = Method::parse(&token).map_err(invalid)?;
        let return_url = Some(settings::get_or("stripe_return_url", "").await).filter(|url| !url.is_empty());
        let new = NewCharge { key, payment_id, amount, method, return_url };
        in_time(charge::charge(&world, &new)).await
    }

    async fn refund(request: RefundRequest) -> Result<provider::Outcome, Error> {
        let RefundRequest { provider, key, charge_id: intent_id, amount_minor } = request;
        let world = world(&provider).await?;
        if !word::is_id(&intent_id) {
            return Err(invalid("it is no id of a charge"));
        }
        if amount_minor < 1 {
            return Err(invalid("the amount must be more than nothing"));
        }
        in_time(give_back::give_back(&world, &NewRefund { key, intent_id, amount_minor })).await
    }

    async fn find(provider: String, key: String) -> Result<provider::Outcome, Error> {
        let world = world(&provider).await?;
        in_time(find(&world, &key)).await
    }

    async fn withdraw(provider: String, key: String) -> Result<provider::Outcome, Error> {
        let world = world(&provider).await?;
        in_time(charge::withdraw(&world, &key)).await
    }

    async fn verify_webhook(headers: Vec<(String, String)>, body: Vec<u8>) -> Result<Notice, Error> {
        let secret = settings::get_or("stripe_webhook_secret", "").await;
        signature::verify(&headers, &body, &secret, now_s()).map_err(invalid)?;
        let event = Event::read(&body).map_err(invalid)?;
        let notice = event::take(&world(NAME).await?, &event).await.map_err(told)?;
        Ok(Notice { id: notice.id, key: notice.key, outcome: notice.outcome.into() })
    }
}

async fn find(world: &World, key: &str) -> Result<Outcome, Trouble> {
    if let Some(charge) = world.charge(key).await? {
        return charge::find(world, &charge).await;
    }
    let ours = world.given_back(key).await?.ok_or(Trouble::NotFound)?;
    give_back::find(world, &ours).await
}

/// Stripe and the database, for what is meant for this provider.
async fn world(provider: &str) -> Result<World, Error> {
    if provider != NAME {
        return Err(Error::Unavailable(format!("it is meant for the provider `{provider}`, and this is `{NAME}`")));
    }
    let secret_key = settings::get_or("stripe_secret_key", "").await;
    if secret_key.is_empty() {
        return Err(told(Trouble::Unavailable("the variable stripe_secret_key is empty".to_owned())));
    }
    Ok(World { api: Api { url: settings::get_or("stripe_api_url", API_URL).await, secret_key } })
}

/// The outcome, if it comes in time. It may be dropped at any point: what was begun is noted, and taken up again from
/// there.
async fn in_time(call: impl Future<Output = Result<Outcome, Trouble>>) -> Result<provider::Outcome, Error> {
    let configured = settings::get_or("stripe_timeout_ms", "").await;
    let timeout_ms = configured.parse().unwrap_or(TIMEOUT_MS);
    let late = || Err(Trouble::Unavailable(format!("no answer from Stripe within {timeout_ms} ms")));
    let outcome = within(Duration::from_millis(timeout_ms), call).await.unwrap_or_else(late);
    outcome.map(provider::Outcome::from).map_err(told)
}

fn told(trouble: Trouble) -> Error {
    match trouble {
        Trouble::Invalid(how) => Error::Invalid(how),
        Trouble::NotFound => Error::NotFound,
        Trouble::Unavailable(why) => Error::Unavailable(why),
    }
}

fn invalid(how: impl ToString) -> Error {
    Error::Invalid(how.to_string())
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl From<Outcome> for provider::Outcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Succeeded(id) => Self::Succeeded(id),
            Outcome::Declined(code) => Self::Declined(code),
            Outcome::ActionRequired(url) => Self::ActionRequired(url),
            Outcome::Pending => Self::Pending,
        }
    }
}
