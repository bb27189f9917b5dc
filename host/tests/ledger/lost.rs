//! A commit of which nobody can say whether it was.

use std::pin::pin;

use futures::poll;
use plaza::{
    database::Database,
    rollout::{Entry, InPostgres, LedgerError, Standing, Tried, What},
};
use sqlx::{AssertSqlSafe, ConnectOptions, postgres::PgPoolOptions};

use crate::{
    ground::{on_shared, until},
    scene::{COMPONENT, Scene},
};

/// Whoever commits another standing of the application waits for whoever holds its lock.
const COMMITS_WAIT: &str = "
CREATE FUNCTION wait_for_the_turn() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock(hashtext(NEW.application)); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER waits AFTER UPDATE ON standings DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.application = '<application>') EXECUTE FUNCTION wait_for_the_turn()";

#[test]
fn what_another_host_tries_is_not_taken_for_what_was_to_be_tried() {
    on_shared(|database| async move {
        let application = uuid::Uuid::now_v7().to_string();
        let options = database.state().connect_options();
        // Of one connection: who waits for it in this test's place sees nothing before the test is done with it.
        let narrow = PgPoolOptions::new().max_connections(1).connect_with((*options).clone()).await.unwrap();
        let [one, other] =
            [narrow.clone(), database.state().clone()].map(|pool| Scene(Box::new(InPostgres::new(pool, &application))));
        one.start("file").await;
        let (lost, stands) = (trial(&one, "lost").await, trial(&one, "stands").await);
        let commits_wait = COMMITS_WAIT.replace("<application>", &application);
        sqlx::raw_sql(AssertSqlSafe(commits_wait)).execute(database.state()).await.unwrap();

        let mut holder = options.connect().await.unwrap();
        let lock = "SELECT pg_backend_pid() FROM pg_advisory_lock(hashtext($1))";
        let holding: i32 = sqlx::query_scalar(lock).bind(&application).fetch_one(&mut holder).await.unwrap();
        let stands_after = async {
            let committing = who_waits_for(database, holding).await;
            let (stood, ()) = tokio::join!(stand(&other, &stands), async {
                who_waits_for(database, committing).await;
                let mut next = pin!(narrow.acquire());
                assert!(poll!(&mut next).is_pending());
                let end = sqlx::query("SELECT pg_terminate_backend($1)").bind(committing);
                end.execute(database.state()).await.unwrap();
                drop(holder);
                until("the other stands", || async { other.standing().await.trial == stands.trial }).await;
            });
            stood.unwrap();
        };
        let (outcome, ()) = tokio::join!(stand(&one, &lost), stands_after);
        assert!(matches!(outcome, Err(LedgerError::Overtaken { .. })), "{outcome:?}");
    });
}

/// What stands, with these bytes on trial.
async fn trial(scene: &Scene, bytes: &str) -> Standing {
    let tried = Tried { version: scene.add(bytes).await, share: "10%".parse().unwrap(), seconds: 60 };
    Standing { trial: Some(tried), ..scene.standing().await }
}

async fn stand(scene: &Scene, standing: &Standing) -> Result<Standing, LedgerError> {
    scene.0.stand(COMPONENT, standing, Entry { number: None, what: What::Trial, detail: None }).await
}

/// The process of the session that waits for the one of this process.
async fn who_waits_for(database: &Database, process: i32) -> i32 {
    let waiting = "SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))";
    let waiting = || sqlx::query_scalar(waiting).bind(process).fetch_optional(database.state());
    until("somebody waits", || async { waiting().await.unwrap().is_some_and(|_: i32| true) }).await;
    waiting().await.unwrap().unwrap()
}
