//! Refunds in Postgres, one row per key.

use kit::sql::{Row, SqlError, text, uuid};

use super::{DATABASE, World};
use crate::domain::ports::{GivenBack, NewRefund, RefundEnding, Refunds, StoreError};
use crate::domain::refund::Refund;

/// The columns of a refund. What Stripe failed at, it sets right by itself or gives up: after a day, which is also how
/// long it keeps its answer, it must have come to light (<https://docs.stripe.com/error-low-level#server-errors>).
const REFUND: &str = "key, intent_id, amount_minor, request_id, refund_id, state, code, tries,
    coalesce(broken_at > now() - interval '24 hours', false) as broken";

impl Refunds for World {
    async fn note_refund(&self, new: &NewRefund) -> Result<GivenBack, StoreError> {
        let statement = format!(
            "insert into refunds as r (key, intent_id, amount_minor) values ($1::text, $2::text, $3::bigint)
            on conflict (key) do update set tries = r.tries + 1,
                request_id = case when r.broken_at <= now() - interval '24 hours' then gen_random_uuid()
                    else r.request_id end,
                broken_at = case when r.broken_at > now() - interval '24 hours' then r.broken_at end
            returning {REFUND}, intent_id = $2::text and amount_minor = $3::bigint as same_request"
        );
        let params = vec![text(&new.key), text(&new.intent_id), new.amount_minor.into()];
        let row = DATABASE.one(&statement, params).await?;
        let sent_before = row.get::<i64>("tries")? > 1;
        Ok(GivenBack { same_request: row.get("same_request")?, sent_before, ..read(&row)? })
    }

    async fn given_back(&self, key: &str) -> Result<Option<GivenBack>, StoreError> {
        let row = DATABASE.row(&format!("select {REFUND} from refunds where key = $1::text"), vec![text(key)]).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    async fn given_back_by(&self, refund: &Refund) -> Result<Option<GivenBack>, StoreError> {
        // By its key only where its id is not known yet: another shop of the same account has keys like ours.
        let statement = format!(
            "select {REFUND} from refunds where refund_id = $1::text
                or (refund_id is null and key = $2::text and intent_id = $3::text)"
        );
        let params = vec![text(&refund.id), refund.key.clone().into(), refund.intent_id.clone().into()];
        let row = DATABASE.row(&statement, params).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    async fn renew_refund(&self, refund: &GivenBack) -> Result<(), StoreError> {
        let statement = "update refunds set request_id = gen_random_uuid()
            where key = $1::text and request_id = $2::uuid";
        DATABASE.execute(statement, vec![text(&refund.key), uuid(&refund.request_id)]).await?;
        Ok(())
    }

    async fn note_broken(&self, key: &str) -> Result<(), StoreError> {
        let statement = "update refunds set broken_at = coalesce(broken_at, now()) where key = $1::text";
        DATABASE.execute(statement, vec![text(key)]).await?;
        Ok(())
    }

    async fn note_made(
        &self,
        key: &str,
        refund_id: Option<&str>,
        ending: Option<&RefundEnding>,
    ) -> Result<(), StoreError> {
        let (state, code) = match ending {
            None => ("open", None),
            Some(RefundEnding::Succeeded) => ("succeeded", None),
            Some(RefundEnding::Failed(why)) => ("failed", Some(why.clone())),
        };
        let statement =
            "update refunds set refund_id = coalesce(refund_id, $2::text), state = $3::text, code = $4::text
            where key = $1::text and state = 'open'";
        let refund_id = refund_id.map(str::to_owned);
        DATABASE.execute(statement, vec![text(key), refund_id.into(), text(state), code.into()]).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Result<GivenBack, SqlError> {
    let state: String = row.get("state")?;
    let code: Option<String> = row.get("code")?;
    Ok(GivenBack {
        key: row.get("key")?,
        intent_id: row.get("intent_id")?,
        amount_minor: row.get("amount_minor")?,
        same_request: true,
        request_id: row.get("request_id")?,
        // Whoever asks about a refund asks about one that was sent.
        sent_before: true,
        broken: row.get("broken")?,
        refund_id: row.get("refund_id")?,
        ending: match state.as_str() {
            "open" => None,
            "succeeded" => Some(RefundEnding::Succeeded),
            "failed" => Some(RefundEnding::Failed(code.unwrap_or_default())),
            other => return Err(SqlError::Failed(format!("no state is called `{other}`"))),
        },
    })
}
