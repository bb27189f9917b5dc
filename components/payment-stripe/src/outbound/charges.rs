//! Charges in Postgres, one row per key.

use kit::sql::{Row, SqlError, text, uuid};

use super::{DATABASE, World};
use crate::domain::ports::{Charge, Charges, Ending, NewCharge, StoreError};

/// The columns of a charge, which is what was asked for unless a statement says otherwise.
const CHARGE: &str = "key, return_url, request_id, intent_id, state, code";

impl Charges for World {
    async fn note_charge(&self, new: &NewCharge) -> Result<Charge, StoreError> {
        // The update changes nothing: it makes the row that was there first come back.
        let statement = format!(
            "insert into charges as c (key, payment_id, amount_minor, currency, method_sha256, return_url, state)
            values ($1::text, $2::bigint, $3::bigint, $4::text, sha256(convert_to($5::text, 'UTF8')), $6::text, 'open')
            on conflict (key) do update set key = c.key
            returning {CHARGE}, (payment_id, amount_minor, currency, method_sha256)
                is not distinct from ($2::bigint, $3::bigint, $4::text, sha256(convert_to($5::text, 'UTF8')))
                as same_request"
        );
        let params = vec![
            text(&new.key),
            new.payment_id.into(),
            new.amount.minor().into(),
            text(new.amount.currency()),
            text(new.method.expose()),
            new.return_url.clone().into(),
        ];
        let row = DATABASE.one(&statement, params).await?;
        Ok(Charge { same_request: row.get("same_request")?, ..read(&row)? })
    }

    async fn charge(&self, key: &str) -> Result<Option<Charge>, StoreError> {
        find(&format!("select {CHARGE} from charges where key = $1::text"), key).await
    }

    async fn charge_of(&self, intent_id: &str) -> Result<Option<Charge>, StoreError> {
        find(&format!("select {CHARGE} from charges where intent_id = $1::text"), intent_id).await
    }

    async fn take_intent(&self, charge: &Charge, intent_id: &str) -> Result<bool, StoreError> {
        let statement = "update charges set intent_id = $3::text
            where key = $1::text and request_id = $2::uuid and intent_id is null and state = 'open'";
        let params = vec![text(&charge.key), uuid(&charge.request_id), text(intent_id)];
        Ok(DATABASE.execute(statement, params).await? > 0)
    }

    async fn renew_charge(&self, charge: &Charge) -> Result<(), StoreError> {
        let statement = "update charges set request_id = gen_random_uuid()
            where key = $1::text and request_id = $2::uuid";
        DATABASE.execute(statement, vec![text(&charge.key), uuid(&charge.request_id)]).await?;
        Ok(())
    }

    async fn end_charge(&self, key: &str, ending: &Ending) -> Result<(), StoreError> {
        let (state, code) = match ending {
            Ending::Succeeded => ("succeeded", None),
            Ending::Declined(code) => ("declined", Some(code.clone())),
            Ending::Invalid(how) => ("invalid", Some(how.clone())),
            Ending::Withdrawn => ("withdrawn", None),
        };
        let statement = "update charges set state = $2::text, code = $3::text
            where key = $1::text and (state = 'open' or $2::text = 'succeeded')";
        DATABASE.execute(statement, vec![text(key), text(state), code.into()]).await?;
        Ok(())
    }

    async fn withdraw_unsent(&self, key: &str) -> Result<Charge, StoreError> {
        let statement = format!(
            "insert into charges as c (key, state) values ($1::text, 'withdrawn')
            on conflict (key) do update set
                state = case when c.state = 'open' and c.intent_id is null then 'withdrawn' else c.state end
            returning {CHARGE}"
        );
        Ok(read(&DATABASE.one(&statement, vec![text(key)]).await?)?)
    }
}

async fn find(statement: &str, name: &str) -> Result<Option<Charge>, StoreError> {
    let row = DATABASE.row(statement, vec![text(name)]).await?;
    Ok(row.as_ref().map(read).transpose()?)
}

fn read(row: &Row) -> Result<Charge, SqlError> {
    let state: String = row.get("state")?;
    let code: Option<String> = row.get("code")?;
    let code = code.unwrap_or_default();
    Ok(Charge {
        key: row.get("key")?,
        same_request: true,
        return_url: row.get("return_url")?,
        request_id: row.get("request_id")?,
        intent_id: row.get("intent_id")?,
        ending: match state.as_str() {
            "open" => None,
            "succeeded" => Some(Ending::Succeeded),
            "declined" => Some(Ending::Declined(code)),
            "invalid" => Some(Ending::Invalid(code)),
            "withdrawn" => Some(Ending::Withdrawn),
            other => return Err(SqlError::Failed(format!("no state is called `{other}`"))),
        },
    })
}
