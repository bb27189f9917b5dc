//! Charges and refunds in Postgres, one row per key.

use kit::sql::{Database, Row, SqlError, text};

use crate::domain::token::{FLAKY_FAILURES, State};

/// The provider's own database.
const DATABASE: Database = Database::at("sandbox_database_url");

/// A charge that is asked for.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// The caller's idempotency key.
    pub key: String,
    /// How much, in minor units of `currency`.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// The test token.
    pub token: String,
    /// The payment's number in the shop.
    pub payment_id: i64,
}

/// A charge as it is remembered.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The provider's id.
    pub id: String,
    /// What became of it.
    pub state: State,
    /// The code of a decline.
    pub code: Option<String>,
    /// How often it was asked for.
    pub calls: i64,
    /// Whether it is what was asked for under this key the first time.
    pub same_request: bool,
}

/// Makes the charge, or finds the one with this key; a failing one works once it was asked for often enough.
pub async fn charge(new: &NewCharge, begins_as: State) -> Result<Charge, SqlError> {
    let statement = "
        insert into charges as c (key, payment_id, amount_minor, currency, token, state, code)
        values ($1::text, $2::bigint, $3::bigint, $4::text, $5::text, $6::text, $7::text)
        on conflict (key) do update set calls = c.calls + 1,
            state = case when c.state = 'failing' and c.calls >= $8::bigint then 'succeeded' else c.state end
        returning id, state, code, calls,
            (payment_id, amount_minor, currency, token) is not distinct from ($2::bigint, $3::bigint, $4::text, $5::text)
                as same_request";
    let params = vec![
        text(&new.key),
        new.payment_id.into(),
        new.amount_minor.into(),
        text(&new.currency),
        text(&new.token),
        text(begins_as.word()),
        begins_as.code().map(str::to_owned).into(),
        FLAKY_FAILURES.into(),
    ];
    read(&DATABASE.one(statement, params).await?)
}

/// The charge with this key.
pub async fn find_charge(key: &str) -> Result<Option<Charge>, SqlError> {
    let statement = "select id, state, code, calls, true as same_request from charges where key = $1::text";
    DATABASE.row(statement, vec![text(key)]).await?.as_ref().map(read).transpose()
}

/// Ends a charge that waited for its customer.
pub async fn finish(key: &str, state: State) -> Result<(), SqlError> {
    let statement = "update charges set state = $2::text, code = $3::text
        where key = $1::text and state = 'action_required'";
    let code = state.code().map(str::to_owned);
    DATABASE.execute(statement, vec![text(key), text(state.word()), code.into()]).await?;
    Ok(())
}

/// Gives the charge with this key up unless it moved money or was declined, be it that it was never asked for; returns
/// it as it is then.
pub async fn withdraw(key: &str) -> Result<Charge, SqlError> {
    let statement = "
        insert into charges as c (key, state) values ($1::text, 'withdrawn')
        on conflict (key) do update set
            state = case when c.state in ('action_required', 'failing') then 'withdrawn' else c.state end
        returning id, state, code, calls, true as same_request";
    read(&DATABASE.one(statement, vec![text(key)]).await?)
}

/// Gives back a part of a charge and returns the refund's id; `None` when there is no such charge or less is left of
/// it.
pub async fn refund(key: &str, charge_id: &str, amount_minor: i64) -> Result<Option<String>, SqlError> {
    let statement = "
        with taken as (
            update charges set refunded_minor = refunded_minor + $3::bigint
            where id = $2::text and state = 'succeeded' and $3::bigint > 0
                and refunded_minor + $3::bigint <= amount_minor
            returning id
        )
        insert into refunds (key, charge_id, amount_minor)
        select $1::text, id, $3::bigint from taken
        returning id";
    let row = DATABASE.row(statement, vec![text(key), text(charge_id), amount_minor.into()]).await?;
    row.map(|row| row.get("id")).transpose()
}

/// The id of the refund with this key.
pub async fn find_refund(key: &str) -> Result<Option<String>, SqlError> {
    let row = DATABASE.row("select id from refunds where key = $1::text", vec![text(key)]).await?;
    row.map(|row| row.get("id")).transpose()
}

fn read(row: &Row) -> Result<Charge, SqlError> {
    let word: String = row.get("state")?;
    Ok(Charge {
        id: row.get("id")?,
        state: State::parse(&word).ok_or_else(|| SqlError::Failed(format!("no state is called `{word}`")))?,
        code: row.get("code")?,
        calls: row.get("calls")?,
        same_request: row.get("same_request")?,
    })
}
