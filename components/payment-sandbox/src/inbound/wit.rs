//! The interface `shop:payments/provider`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kit::settings;
use kit::sql::SqlError;

use crate::bindings::Component;
use crate::bindings::exports::shop::payments::provider::{ChargeRequest, Error, Guest, Notice, Outcome, RefundRequest};
use crate::domain::token::{Behaviour, LATE_SECONDS, State};
use crate::domain::webhook::{self, Ending};
use crate::outbound::sql::{self, Charge};

/// The provider's name, as payments remember it.
const NAME: &str = "sandbox";

impl Guest for Component {
    async fn name() -> String {
        NAME.to_owned()
    }

    async fn charge(request: ChargeRequest) -> Result<Outcome, Error> {
        is_meant(&request.provider)?;
        let behaviour =
            Behaviour::of(&request.token).ok_or_else(|| Error::Invalid("it is no token of the sandbox".to_owned()))?;
        if request.amount_minor < 1 {
            return Err(Error::Invalid("the amount must be more than nothing".to_owned()));
        }
        let charge = sql::charge(&request.into(), behaviour.begins_as()).await?;
        if charge.state == State::Withdrawn {
            return Ok(Outcome::Declined("withdrawn".to_owned()));
        }
        if !charge.same_request {
            return Err(Error::Invalid("the key was used for another charge".to_owned()));
        }
        if behaviour == Behaviour::SucceedsLate && charge.calls == 1 {
            spin_sdk::time::sleep(Duration::from_secs(LATE_SECONDS)).await;
        }
        outcome(charge).ok_or_else(|| Error::Unavailable("the sandbox fails, as it was asked to".to_owned()))
    }

    async fn refund(request: RefundRequest) -> Result<Outcome, Error> {
        let RefundRequest { provider, key, charge_id, amount_minor } = request;
        is_meant(&provider)?;
        if let Some(id) = sql::find_refund(&key).await? {
            return Ok(Outcome::Succeeded(id));
        }
        match sql::refund(&key, &charge_id, amount_minor).await {
            Ok(Some(id)) => Ok(Outcome::Succeeded(id)),
            Ok(None) => Ok(Outcome::Declined("exceeds_charge".to_owned())),
            // The same key came twice at once, and the other request was first.
            Err(error) if error.is_constraint("refunds_pkey") => {
                sql::find_refund(&key).await?.map(Outcome::Succeeded).ok_or(Error::NotFound)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn find(provider: String, key: String) -> Result<Outcome, Error> {
        is_meant(&provider)?;
        find(&key).await
    }

    async fn withdraw(provider: String, key: String) -> Result<Outcome, Error> {
        is_meant(&provider)?;
        outcome(sql::withdraw(&key).await?).ok_or(Error::NotFound)
    }

    async fn verify_webhook(headers: Vec<(String, String)>, body: Vec<u8>) -> Result<Notice, Error> {
        let secret = settings::get_or("sandbox_webhook_secret", "").await;
        let webhook =
            webhook::read(&headers, &body, &secret, now_s()).map_err(|error| Error::Invalid(error.to_string()))?;
        let state = match webhook.outcome {
            Ending::Succeeded => State::Succeeded,
            Ending::Declined => State::Declined,
        };
        sql::finish(&webhook.key, state).await?;
        let outcome = find(&webhook.key).await?;
        Ok(Notice { id: webhook.id, key: webhook.key, outcome })
    }
}

/// Whatever is meant for another provider is left alone.
fn is_meant(provider: &str) -> Result<(), Error> {
    if provider == NAME {
        return Ok(());
    }
    Err(Error::Unavailable(format!("it is meant for the provider `{provider}`, and this is `{NAME}`")))
}

async fn find(key: &str) -> Result<Outcome, Error> {
    if let Some(id) = sql::find_refund(key).await? {
        return Ok(Outcome::Succeeded(id));
    }
    sql::find_charge(key).await?.and_then(outcome).ok_or(Error::NotFound)
}

/// What is known of a charge; `None` while nothing has moved.
fn outcome(charge: Charge) -> Option<Outcome> {
    match charge.state {
        State::Succeeded => Some(Outcome::Succeeded(charge.id)),
        State::Declined => Some(Outcome::Declined(charge.code.unwrap_or_default())),
        State::ActionRequired => Some(Outcome::ActionRequired(format!("https://sandbox.example/3ds/{}", charge.id))),
        State::Failing | State::Withdrawn => None,
    }
}

fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl From<SqlError> for Error {
    /// Whatever failed, the caller cannot know whether money moved: it has to ask again.
    fn from(error: SqlError) -> Self {
        eprintln!("error: {error}");
        Self::Unavailable(error.to_string())
    }
}

impl From<ChargeRequest> for sql::NewCharge {
    fn from(request: ChargeRequest) -> Self {
        let ChargeRequest { provider: _, key, amount_minor, currency, token, payment_id } = request;
        Self { key, amount_minor, currency, token, payment_id }
    }
}
