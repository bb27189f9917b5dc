//! Failures to log in, in Postgres.

use kit::{Failure, sql::SqlError};

use super::sql::{DATABASE, Sql};
use crate::domain::throttle::{FORGET_S, Subject, Throttle, WAITS_S};

/// Begins both statements below: they take the names in $1 and $2 in turn, in one order. The rows alone would not do,
/// for one that was made after a statement began is met only when the others are held already: a deadlock.
macro_rules! in_turn {
    ($names:literal) => {
        concat!(
            "with in_turn as materialized (
    select count(pg_advisory_xact_lock(key)) as taken
    from (select distinct hashtextextended(name, 0) as key from unnest(",
            $names,
            ") as asked (name) order by key) as keys
), "
        )
    };
}

/// $1 names, $2 how many failures of each cost nothing, $3 seconds until they are forgotten, $4 the waits. The rows are
/// locked before they are judged, so attempts made at once are judged one after the other; of those that find no row
/// yet, the conflict's condition lets only as many through as cost nothing.
const ADMIT: &str = concat!(
    in_turn!("$1::text[]"),
    "known as materialized (
    select subject, blocked_until from log_in_failures, in_turn where subject = any($1::text[])
    for update of log_in_failures
), verdict as (
    select coalesce(bool_or(blocked_until > now()), false) as blocked from known
), counted as (
    insert into log_in_failures as f (subject, failures, free, failed_at, blocked_until)
    select asked.subject, 1, asked.free, now(), timestamptz 'epoch'
    from unnest($1::text[], $2::bigint[]) as asked (subject, free), verdict
    where not verdict.blocked
    order by asked.subject
    on conflict (subject) do update set (failures, free, failed_at, blocked_until) = (
        select next.failures, excluded.free, now(),
            case when next.failures < excluded.free then timestamptz 'epoch' else now() + interval '1 second'
                * ($4::bigint[])[least(next.failures - excluded.free + 1, cardinality($4::bigint[]))] end
        from (select case when f.failed_at < now() - $3::bigint * interval '1 second' then 1 else f.failures + 1 end)
            as next (failures))
        where f.blocked_until <= now()
    returning subject
)
select (select count(*) from counted) = cardinality($1::text[]) as admitted,
    greatest(1, ceil(extract(epoch from (select max(blocked_until) from known) - now())))::bigint as wait_s"
);

/// $1 names of which the attempt alone is taken back, $2 names of which all is forgotten. Beyond the free failures only
/// one attempt at a time is admitted, so the wait that ends here is the one that this attempt began.
const TAKE_BACK: &str = concat!(
    in_turn!("$1::text[] || $2::text[]"),
    "cleared as (
    delete from log_in_failures using in_turn where subject = any($2::text[])
)
update log_in_failures set failures = greatest(0, failures - 1), blocked_until = timestamptz 'epoch'
from in_turn where subject = any($1::text[])"
);

impl Throttle for Sql {
    async fn admit(&self, subjects: &[Subject]) -> Result<Result<(), i64>, Failure> {
        let names: Vec<String> = subjects.iter().map(|subject| subject.name.clone()).collect();
        let free: Vec<i64> = subjects.iter().map(|subject| subject.free).collect();
        let row =
            DATABASE.one(ADMIT, vec![names.into(), free.into(), FORGET_S.into(), WAITS_S.to_vec().into()]).await?;
        match row.get("admitted")? {
            true => Ok(Ok(())),
            false => Ok(Err(row.get::<Option<i64>>("wait_s")?.unwrap_or(1))),
        }
    }

    async fn withdrawn(&self, subjects: &[Subject]) -> Result<(), Failure> {
        take_back(subjects, &[]).await
    }

    async fn succeeded(&self, subjects: &[Subject]) -> Result<(), Failure> {
        let (cleared, kept): (Vec<_>, Vec<_>) =
            subjects.iter().cloned().partition(|subject| subject.cleared_by_success);
        take_back(&kept, &cleared).await
    }
}

/// Takes the last attempt back from `counted`, and every failure from `cleared`.
async fn take_back(counted: &[Subject], cleared: &[Subject]) -> Result<(), Failure> {
    let names = |subjects: &[Subject]| -> Vec<String> { subjects.iter().map(|subject| subject.name.clone()).collect() };
    DATABASE.execute(TAKE_BACK, vec![names(counted).into(), names(cleared).into()]).await?;
    Ok(())
}

/// Forgets failures after a day, a thousand at a time; for the tick.
pub async fn forget_failures() -> Result<u64, SqlError> {
    let statement = "delete from log_in_failures where subject = any (array(
        select subject from log_in_failures where failed_at < now() - interval '1 day'
        limit 1000 for update skip locked))";
    DATABASE.execute(statement, Vec::new()).await
}
