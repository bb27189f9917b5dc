//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header): one key does the work once, and every
//! repetition gets the first answer.
//!
//! The key's row comes first, in the service's own database. It fixes the ids that the work will use and is a lease of
//! the request's time: while it runs others get 409, once it has lapsed the next one goes on with the same ids. The
//! answer is stored by the statement that does the work:
//!
//! ```sql
//! create table idempotency_keys (
//!     user_id bigint not null,
//!     route text not null,
//!     key text not null,
//!     body_hash bytea not null,
//!     ids jsonb not null,
//!     lease uuid not null,
//!     leased_until timestamptz not null,
//!     answer jsonb,
//!     created_at timestamptz not null default now(),
//!     primary key (user_id, route, key)
//! );
//! create index idempotency_keys_created_at on idempotency_keys (created_at);
//!
//! -- the work; $1 is the lease, $2 the answer. Who has lost the lease does nothing:
//! with claim as (
//!     update idempotency_keys set answer = $2 where lease = $1 and answer is null returning 1
//! )
//! insert into orders (…) select … from claim;
//! ```
//! An index on `lease` is not needed if the statement names `user_id`, `route` and `key` too; [`Lease::params`] gives
//! all four.

mod answer;
mod key;

use http::{HeaderValue, header};
use serde::{Serialize, de::DeserializeOwned};

pub use answer::Answer;
pub use key::{IdempotencyKey, IdempotencyKeyHeader, KEY_MAX_BYTES};

use crate::{
    Problem,
    problem::kinds,
    sql::{Database, ParameterValue, SqlError, jsonb, uuid},
    uuid::random,
};

/// How long a request may hold its lease: a little more than the host lets a request run.
pub const LEASE_S: i64 = 40;
/// How long a key is remembered.
pub const REMEMBER_S: i64 = 24 * 60 * 60;

/// What is being claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a, I> {
    /// Whose key it is.
    pub user_id: i64,
    /// For which operation: `POST /orders`, `POST /payments/7/confirm`.
    pub route: &'a str,
    /// The key.
    pub key: &'a IdempotencyKey,
    /// SHA-256 of the body, as [`crate::input::Hashed`] gives it.
    pub body_sha256: [u8; 32],
    /// The ids to use if this is the key's first request.
    pub ids: &'a I,
    /// A sequence whose next value joins the ids as `number`, in the same statement.
    pub sequence: Option<&'a str>,
    /// How long this holder may take, in seconds; [`LEASE_S`] where the component lets requests run as long as the host
    /// does.
    pub lease_s: i64,
}

/// The right to do the work now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease<I> {
    /// Names this holder; another's take-over changes it in the row.
    pub id: String,
    /// The ids that every attempt of this key uses.
    pub ids: I,
    /// Whether an earlier holder may have done part of the work.
    pub taken_over: bool,
    user_id: i64,
    route: String,
    key: String,
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed<I> {
    /// Go on.
    Mine(Lease<I>),
    /// It is done: give this answer again.
    Done(Answer),
}

/// One statement: makes the row, or takes it over where its lease has lapsed or its day is over, and tells what
/// stands there now.
const CLAIM: &str = "
insert into idempotency_keys as k (user_id, route, key, body_hash, ids, lease, leased_until)
values ($1, $2, $3, $4,
    case when $9::text is null then $5::jsonb
        else $5::jsonb || jsonb_build_object('number', nextval($9::text::regclass)) end,
    $6, now() + $7::bigint * interval '1 second')
on conflict (user_id, route, key) do update set
    body_hash = case when k.created_at < now() - $8::bigint * interval '1 second'
        then excluded.body_hash else k.body_hash end,
    ids = case when k.created_at < now() - $8::bigint * interval '1 second'
        then excluded.ids else k.ids end,
    answer = case when k.created_at < now() - $8::bigint * interval '1 second'
        then null else k.answer end,
    lease = case when k.created_at < now() - $8::bigint * interval '1 second'
            or (k.answer is null and k.leased_until <= now() and k.body_hash = excluded.body_hash)
        then excluded.lease else k.lease end,
    leased_until = case when k.created_at < now() - $8::bigint * interval '1 second'
            or (k.answer is null and k.leased_until <= now() and k.body_hash = excluded.body_hash)
        then excluded.leased_until else k.leased_until end,
    created_at = case when k.created_at < now() - $8::bigint * interval '1 second'
        then now() else k.created_at end
returning lease = $6 as mine, body_hash = $4 as same_body, ids, answer, xmax <> 0 as seen_before";

/// Claims the key. 409 while another request with it is under way, 422 where the body is another one.
pub async fn claim<I: Serialize + DeserializeOwned>(
    database: &Database,
    claim: Claim<'_, I>,
) -> Result<Claimed<I>, Problem> {
    let lease = random()?;
    let params = vec![
        claim.user_id.into(),
        claim.route.to_owned().into(),
        claim.key.0.clone().into(),
        claim.body_sha256.to_vec().into(),
        jsonb(claim.ids),
        uuid(&lease),
        claim.lease_s.into(),
        REMEMBER_S.into(),
        claim.sequence.map(str::to_owned).into(),
    ];
    let row = database.one(CLAIM, params).await?;
    if !row.get::<bool>("same_body")? {
        return Err(other_body());
    }
    if let Some(answer) = row.get::<Option<serde_json::Value>>("answer")? {
        let answer: Answer = serde_json::from_value(answer).map_err(unreadable)?;
        return Ok(Claimed::Done(Answer { replayed: true, ..answer }));
    }
    if !row.get::<bool>("mine")? {
        return Err(in_flight());
    }
    Ok(Claimed::Mine(Lease {
        id: lease,
        ids: serde_json::from_value(row.get("ids")?).map_err(unreadable)?,
        taken_over: row.get("seen_before")?,
        user_id: claim.user_id,
        route: claim.route.to_owned(),
        key: claim.key.0.clone(),
    }))
}

impl<I> Lease<I> {
    /// `user_id bigint, route text, key text, lease uuid`, in this order: what the statement that does the work needs
    /// to find its row.
    pub fn params(&self) -> Vec<ParameterValue> {
        vec![self.user_id.into(), self.route.clone().into(), self.key.clone().into(), uuid(&self.id)]
    }

    /// Stores an answer that needed no statement of its own, such as a refusal. `false`: the lease was lost.
    pub async fn store(&self, database: &Database, answer: &Answer) -> Result<bool, SqlError> {
        let mut params = self.params();
        params.push(jsonb(answer));
        let changed = database
            .execute(
                "update idempotency_keys set answer = $5
                 where user_id = $1 and route = $2 and key = $3 and lease = $4 and answer is null",
                params,
            )
            .await?;
        Ok(changed > 0)
    }

    /// Lets go without an answer, so that a repetition need not wait for the lease to lapse: after a 5xx.
    pub async fn release(&self, database: &Database) -> Result<(), SqlError> {
        database
            .execute(
                "update idempotency_keys set leased_until = now()
                 where user_id = $1 and route = $2 and key = $3 and lease = $4 and answer is null",
                self.params(),
            )
            .await?;
        Ok(())
    }
}

/// Forgets keys whose day is over, a thousand at a time; for the tick.
pub async fn forget(database: &Database) -> Result<u64, SqlError> {
    database
        .execute(
            "delete from idempotency_keys where ctid = any(array(
                 select ctid from idempotency_keys
                 where created_at < now() - $1::bigint * interval '1 second' limit 1000))",
            vec![REMEMBER_S.into()],
        )
        .await
}

/// 409: the same key is being worked on.
pub fn in_flight() -> Problem {
    Problem::new(kinds::REQUEST_IN_FLIGHT, "A request with this Idempotency-Key is under way. Ask again in a moment.")
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
}

fn other_body() -> Problem {
    Problem::new(
        kinds::IDEMPOTENCY_KEY_REUSED,
        "This Idempotency-Key was used with another body. Use a fresh key for a new intent.",
    )
}

fn unreadable(error: serde_json::Error) -> Problem {
    eprintln!("error: a stored idempotency row cannot be read: {error}");
    Problem::internal()
}
