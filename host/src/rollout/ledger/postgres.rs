//! The ledger in the host's own database, which the hosts of an application share.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use sqlx::{
    PgPool, Postgres, Row, Transaction,
    postgres::{PgListener, PgRow},
    types::Json,
};
use tokio::{sync::Mutex, time::timeout};
use uuid::Uuid;

use super::{Entry, KEPT_ENTRIES, KEPT_VERSIONS, Kept, Ledger, LedgerError, News, Past, What};
use crate::{
    rollout::{
        judge::Seen,
        standing::{Origin, Standing, Stored, Tried},
    },
    service::{Count, Share},
};

/// Other hosts are told here, with the application's name.
const CHANNEL: &str = "plaza_versions";

/// Other hosts are offered bytes here: `<host> <hash> <component> <application>`.
const OFFERS: &str = "plaza_offers";

/// How often one looks unasked: what was told may have been lost with a connection.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long one tries to hear what became of a commit whose answer was lost, and how long one waits between two tries.
const SETTLE_WITHIN: Duration = Duration::from_secs(15);
const SETTLE_EVERY: Duration = Duration::from_millis(200);

const STANDINGS: &str = "
SELECT s.component, s.revision, s.drain_ms, a.number, a.hash, a.origin,
       t.number AS trial_number, t.hash AS trial_hash, t.origin AS trial_origin, s.trial_share, s.trial_seconds
FROM standings s
JOIN versions a ON (a.application, a.component, a.number) = (s.application, s.component, s.active)
LEFT JOIN versions t ON (t.application, t.component, t.number) = (s.application, s.component, s.trial)
WHERE s.application = $1";

const KEEP: &str = "
INSERT INTO artifacts (hash, bytes) VALUES ($1, $2) ON CONFLICT (hash) DO UPDATE SET created_at = now()";

const ADD: &str = "
WITH next AS (
    INSERT INTO version_numbers AS n (application, component, last) VALUES ($1, $2, 1)
    ON CONFLICT (application, component) DO UPDATE SET last = n.last + 1
    RETURNING last
)
INSERT INTO versions (application, component, number, hash, origin)
SELECT $1, $2, last, $3, $4 FROM next
RETURNING number";

const FORMER: &str = "
SELECT active FROM standings WHERE (application, component) = ($1, $2) FOR UPDATE";

const STAND: &str = "
INSERT INTO standings AS s (application, component, active, trial, trial_share, trial_seconds, drain_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (application, component) DO UPDATE
SET active = excluded.active, trial = excluded.trial, trial_share = excluded.trial_share,
    trial_seconds = excluded.trial_seconds, drain_ms = excluded.drain_ms, revision = s.revision + 1, changed_at = now()
WHERE s.revision = $8
RETURNING revision";

/// The row is locked until the transaction has ended that changes it, committed or not.
const SETTLED: &str = "
SELECT revision, active, trial FROM standings WHERE (application, component) = ($1, $2) FOR UPDATE";

const TAKE_UP_FILE: &str = "
UPDATE standings SET file_hash = $3
WHERE (application, component) = ($1, $2) AND file_hash IS DISTINCT FROM $3";

const STAMP: &str = "
UPDATE versions SET answered_at = now() WHERE (application, component) = ($1, $2) AND number IN ($3, $4)";

/// What never answered may yet do so, if it is newer than what does.
const FORGET_VERSIONS: &str = "
WITH last AS (
    SELECT number FROM versions WHERE (application, component) = ($1, $2) AND answered_at IS NOT NULL
    ORDER BY answered_at DESC, number DESC LIMIT $3
)
DELETE FROM versions
WHERE (application, component) = ($1, $2) AND number <> $4 AND number IS DISTINCT FROM $5
  AND CASE WHEN answered_at IS NULL THEN number < $4 ELSE number NOT IN (SELECT number FROM last) END";

const REFUSE: &str = "
DELETE FROM versions v
WHERE (application, component, number) = ($1, $2, $3)
  AND NOT EXISTS (
      SELECT FROM standings s
      WHERE (s.application, s.component) = (v.application, v.component) AND v.number IN (s.active, s.trial))";

const FORGET_ARTIFACTS: &str = "
DELETE FROM artifacts a
WHERE created_at < now() - interval '1 hour' AND NOT EXISTS (SELECT FROM versions v WHERE v.hash = a.hash)";

/// What this host has seen of a trial is written down, and what the others have is read.
const TELL_SEEN: &str = "
WITH told AS (
    INSERT INTO trial_counts (application, component, number, host, active, trial) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (application, component, number, host) DO UPDATE SET active = excluded.active, trial = excluded.trial
)
SELECT active, trial FROM trial_counts WHERE (application, component, number) = ($1, $2, $3) AND host <> $4";

/// What was seen of trials that are over.
const FORGET_SEEN: &str = "
DELETE FROM trial_counts WHERE (application, component) = ($1, $2) AND number IS DISTINCT FROM $3";

const FORGET_HISTORY: &str = "
DELETE FROM version_history
WHERE (application, component) = ($1, $2) AND id NOT IN (
    SELECT id FROM version_history WHERE (application, component) = ($1, $2) ORDER BY id DESC LIMIT $3)";

/// The ledger of one application.
pub struct InPostgres {
    pool: PgPool,
    application: String,
    /// Tells this host from the others.
    host: String,
    listener: Mutex<Option<PgListener>>,
}

impl InPostgres {
    /// The ledger of the application of this name.
    pub fn new(pool: PgPool, application: &str) -> Self {
        let host = Uuid::new_v4().simple().to_string();
        Self { pool, application: application.to_owned(), host, listener: Mutex::default() }
    }

    async fn note_in(
        &self,
        transaction: &mut Transaction<'_, Postgres>,
        component: &str,
        entry: &Entry,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO version_history (application, component, number, what, detail) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&self.application)
        .bind(component)
        .bind(entry.number.map_or(0, signed))
        .bind(entry.what.word())
        .bind(&entry.detail)
        .execute(&mut **transaction)
        .await?;
        sqlx::query(FORGET_HISTORY)
            .bind(&self.application)
            .bind(component)
            .bind(KEPT_ENTRIES)
            .execute(&mut **transaction)
            .await
            .map(drop)
    }

    /// Finds out whether a standing holds of which one has not heard that it was committed.
    async fn settle(&self, component: &str, standing: &Standing, lost: sqlx::Error) -> Result<(), LedgerError> {
        let looking = async {
            loop {
                let held = sqlx::query_as(SETTLED).bind(&self.application).bind(component);
                match held.fetch_optional(&self.pool).await {
                    Ok(held) => return held,
                    Err(error) => tracing::debug!(component, %error, "what became of a commit cannot be heard yet"),
                }
                tokio::time::sleep(SETTLE_EVERY).await;
            }
        };
        let component = component.to_owned();
        let held: Option<(i64, i32, Option<i32>)> = match timeout(SETTLE_WITHIN, looking).await {
            Ok(held) => held,
            Err(_) => return Err(LedgerError::Unsettled { component, cause: lost }),
        };
        let trial = standing.trial.as_ref().map(|trial| signed(trial.version.number));
        match held {
            Some(held) if held == (standing.revision, signed(standing.active.number), trial) => Ok(()),
            Some((revision, ..)) if revision >= standing.revision => Err(LedgerError::Overtaken { component }),
            _ => Err(lost.into()),
        }
    }

    /// Keeps bytes, which are not sent when they are there. They stay for an hour, and for as long as a version has them.
    async fn keep(&self, hash: &str, bytes: &[u8]) -> Result<(), sqlx::Error> {
        let again = sqlx::query("UPDATE artifacts SET created_at = now() WHERE hash = $1");
        if again.bind(hash).execute(&self.pool).await?.rows_affected() == 0 {
            sqlx::query(KEEP).bind(hash).bind(bytes).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// What another host of this application offers, if that is what was told.
    fn offered(&self, told: &str) -> Option<News> {
        let (host, offer) = told.split_once(' ')?;
        let (hash, whose) = offer.split_once(' ')?;
        let (component, application) = whose.split_once(' ')?;
        let offer = || News::Offer { component: component.to_owned(), hash: hash.to_owned() };
        (host != self.host && application == self.application).then(offer)
    }

    /// A connection that hears of changes.
    async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen_all([CHANNEL, OFFERS]).await?;
        Ok(listener)
    }
}

#[async_trait]
impl Ledger for InPostgres {
    async fn standings(&self) -> Result<BTreeMap<String, Standing>, LedgerError> {
        let rows = sqlx::query(STANDINGS).bind(&self.application).fetch_all(&self.pool).await?;
        let read = rows.iter().map(|row| Ok((row.try_get("component")?, standing(row)?)));
        Ok(read.collect::<Result<_, sqlx::Error>>()?)
    }

    async fn versions(&self, component: &str) -> Result<Vec<Kept>, LedgerError> {
        let rows = sqlx::query(
            "SELECT number, hash, origin, answered_at FROM versions
             WHERE (application, component) = ($1, $2) ORDER BY number DESC",
        )
        .bind(&self.application)
        .bind(component)
        .fetch_all(&self.pool)
        .await?;
        let kept = |row: &PgRow| {
            let version = stored(row, "number", "hash", "origin")?;
            Ok(Kept { version, answered_at: row.try_get("answered_at")? })
        };
        Ok(rows.iter().map(kept).collect::<Result<_, sqlx::Error>>()?)
    }

    async fn artifact(&self, hash: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let bytes = sqlx::query_scalar("SELECT bytes FROM artifacts WHERE hash = $1");
        Ok(bytes.bind(hash).fetch_optional(&self.pool).await?)
    }

    async fn offer(&self, component: &str, hash: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.keep(hash, bytes).await?;
        let told = format!("{} {hash} {component} {}", self.host, self.application);
        sqlx::query("SELECT pg_notify($1, $2)").bind(OFFERS).bind(told).execute(&self.pool).await?;
        Ok(())
    }

    async fn add(&self, component: &str, hash: &str, bytes: &[u8], origin: Origin) -> Result<Stored, LedgerError> {
        self.keep(hash, bytes).await?;
        let number: i32 = sqlx::query_scalar(ADD)
            .bind(&self.application)
            .bind(component)
            .bind(hash)
            .bind(origin.word())
            .fetch_one(&self.pool)
            .await?;
        Ok(Stored { number: number.unsigned_abs(), hash: hash.to_owned(), origin })
    }

    async fn stand(&self, component: &str, standing: &Standing, entry: Entry) -> Result<Standing, LedgerError> {
        let mut transaction = self.pool.begin().await?;
        let trial = standing.trial.as_ref();
        let former: Option<i32> = sqlx::query_scalar(FORMER)
            .bind(&self.application)
            .bind(component)
            .fetch_optional(&mut *transaction)
            .await?;
        let revision: Option<i64> = sqlx::query_scalar(STAND)
            .bind(&self.application)
            .bind(component)
            .bind(signed(standing.active.number))
            .bind(trial.map(|trial| signed(trial.version.number)))
            .bind(trial.map(|trial| i32::from(trial.share.ten_thousandths())))
            .bind(trial.map(|trial| signed(trial.seconds)))
            .bind(i64::try_from(standing.drain_ms).unwrap_or(i64::MAX))
            .bind(standing.revision)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(revision) = revision else {
            return Err(LedgerError::Overtaken { component: component.to_owned() });
        };
        self.note_in(&mut transaction, component, &entry).await?;
        sqlx::query(STAMP)
            .bind(&self.application)
            .bind(component)
            .bind(signed(standing.active.number))
            .bind(former)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(FORGET_VERSIONS)
            .bind(&self.application)
            .bind(component)
            .bind(KEPT_VERSIONS)
            .bind(signed(standing.active.number))
            .bind(trial.map(|trial| signed(trial.version.number)))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(FORGET_SEEN)
            .bind(&self.application)
            .bind(component)
            .bind(trial.map(|trial| signed(trial.version.number)))
            .execute(&mut *transaction)
            .await?;
        sqlx::query(FORGET_ARTIFACTS).execute(&mut *transaction).await?;
        sqlx::query("SELECT pg_notify($1, $2)")
            .bind(CHANNEL)
            .bind(&self.application)
            .execute(&mut *transaction)
            .await?;
        let standing = Standing { revision, ..standing.clone() };
        if let Err(lost) = transaction.commit().await {
            self.settle(component, &standing, lost).await?;
        }
        Ok(standing)
    }

    async fn files(&self) -> Result<BTreeMap<String, String>, LedgerError> {
        let files = sqlx::query_as(
            "SELECT component, file_hash FROM standings WHERE application = $1 AND file_hash IS NOT NULL",
        );
        let files: Vec<(String, String)> = files.bind(&self.application).fetch_all(&self.pool).await?;
        Ok(files.into_iter().collect())
    }

    async fn take_up_file(&self, component: &str, hash: &str) -> Result<(), LedgerError> {
        sqlx::query(TAKE_UP_FILE).bind(&self.application).bind(component).bind(hash).execute(&self.pool).await?;
        Ok(())
    }

    async fn refuse(&self, component: &str, number: Option<u32>, why: String) -> Result<(), LedgerError> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(REFUSE)
            .bind(&self.application)
            .bind(component)
            .bind(number.map_or(0, signed))
            .execute(&mut *transaction)
            .await?;
        let entry = Entry { number, what: What::Refused, detail: Some(why) };
        self.note_in(&mut transaction, component, &entry).await?;
        Ok(transaction.commit().await?)
    }

    async fn tell_seen(&self, component: &str, number: u32, seen: Seen) -> Result<Seen, LedgerError> {
        let others: Vec<(Json<Count>, Json<Count>)> = sqlx::query_as(TELL_SEEN)
            .bind(&self.application)
            .bind(component)
            .bind(signed(number))
            .bind(&self.host)
            .bind(Json(&seen.active))
            .bind(Json(&seen.trial))
            .fetch_all(&self.pool)
            .await?;
        let add = |sum: Seen, (Json(active), Json(trial)): (Json<Count>, Json<Count>)| Seen {
            active: sum.active.with(&active),
            trial: sum.trial.with(&trial),
        };
        Ok(others.into_iter().fold(seen, add))
    }

    async fn history(&self, component: &str) -> Result<Vec<Past>, LedgerError> {
        let rows = sqlx::query(
            "SELECT h.number, v.hash, h.what, h.detail, h.at FROM version_history h
             LEFT JOIN versions v USING (application, component, number)
             WHERE (h.application, h.component) = ($1, $2) ORDER BY h.id DESC",
        )
        .bind(&self.application)
        .bind(component)
        .fetch_all(&self.pool)
        .await?;
        let read = rows.iter().map(|row| {
            Ok(Past {
                number: row.try_get::<i32, _>(0)?.unsigned_abs(),
                hash: row.try_get(1)?,
                what: row.try_get(2)?,
                detail: row.try_get(3)?,
                at: row.try_get(4)?,
            })
        });
        Ok(read.collect::<Result<_, sqlx::Error>>()?)
    }

    async fn news(&self) -> News {
        let mut listener = self.listener.lock().await;
        let heard = match listener.as_mut() {
            Some(listener) => timeout(LOOK_EVERY, listener.recv()).await.map_or(Ok(None), |told| told.map(Some)),
            None => self.listen().await.map(|made| {
                *listener = Some(made);
                None
            }),
        };
        match heard {
            Ok(Some(told)) if told.channel() == OFFERS => self.offered(told.payload()).unwrap_or(News::Standings),
            Ok(_) => News::Standings,
            Err(error) => {
                tracing::debug!(%error, "changes of versions cannot be heard of; looking once a second");
                *listener = None;
                tokio::time::sleep(LOOK_EVERY).await;
                News::Standings
            }
        }
    }
}

fn standing(row: &PgRow) -> Result<Standing, sqlx::Error> {
    let share: Option<i32> = row.try_get("trial_share")?;
    let seconds: Option<i32> = row.try_get("trial_seconds")?;
    let share = share.and_then(|parts| Share::of_ten_thousand(u16::try_from(parts).ok()?));
    let trial = match (share, seconds) {
        (Some(share), Some(seconds)) => {
            let version = stored(row, "trial_number", "trial_hash", "trial_origin")?;
            Some(Tried { version, share, seconds: seconds.unsigned_abs() })
        }
        _ => None,
    };
    Ok(Standing {
        revision: row.try_get("revision")?,
        active: stored(row, "number", "hash", "origin")?,
        trial,
        drain_ms: row.try_get::<i64, _>("drain_ms")?.unsigned_abs(),
    })
}

fn stored(row: &PgRow, number: &str, hash: &str, origin: &str) -> Result<Stored, sqlx::Error> {
    let origin = match row.try_get::<&str, _>(origin)? {
        "manifest" => Origin::Manifest,
        _ => Origin::Deploy,
    };
    Ok(Stored { number: row.try_get::<i32, _>(number)?.unsigned_abs(), hash: row.try_get(hash)?, origin })
}

fn signed(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
