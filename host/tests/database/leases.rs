//! Leases: one host at a time.

use std::collections::HashSet;

use futures::FutureExt;
use plaza::database::Database;
use tokio::sync::Mutex;

use crate::ground::{on_shared, until};

#[test]
fn a_lease_is_held_by_one_at_a_time_and_free_when_dropped() {
    on_shared(|database| async move {
        let lease = database.try_lease("one").await.unwrap().unwrap();
        assert!(lease.lost().now_or_never().is_none());
        assert!(database.try_lease("one").await.unwrap().is_none());
        assert!(database.try_lease("another").await.unwrap().is_some());
        drop(lease);
        until("the lease is free", || async { database.try_lease("one").await.unwrap().is_some() }).await;
    });
}

#[test]
fn a_lease_knows_when_its_connection_is_lost() {
    on_shared(|database| async move {
        let lease = database.try_lease("lost").await.unwrap().unwrap();
        let ended: i64 = sqlx::query_scalar(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'plaza lease lost'",
        )
        .fetch_one(database.state())
        .await
        .unwrap();
        assert_eq!(ended, 1);
        lease.lost().await;
        assert!(lease.lost().now_or_never().is_some());
    });
}

#[test]
fn who_takes_a_lease_again_and_again_keeps_a_connection_for_it() {
    on_shared(|database| async move {
        let (leases, seen) = (database.leases(), Mutex::new(HashSet::new()));
        until("a connection is used again", || async {
            let lease = leases.take("again").await;
            let session = holders(database, "again").await;
            assert_eq!(session.len(), 1);
            drop(lease);
            until("the lease is given back", || async { holders(database, "again").await.is_empty() }).await;
            !seen.lock().await.insert(session[0])
        })
        .await;
    });
}

#[test]
fn a_kept_connection_that_is_lost_keeps_nobody_from_a_lease() {
    on_shared(|database| async move {
        let leases = database.leases();
        for _ in 0..3 {
            let lease = leases.take("cut off").await;
            let session = holders(database, "cut off").await;
            drop(lease);
            until("the lease is given back", || async { holders(database, "cut off").await.is_empty() }).await;
            let ended = sqlx::query_scalar("SELECT pg_terminate_backend($1, 5000)").bind(session[0]);
            let ended: bool = ended.fetch_one(database.state()).await.unwrap();
            assert!(ended, "the session is gone");
        }
        assert!(leases.try_take("cut off").await.unwrap().is_some());
    });
}

/// The server's processes that hold or wait for a lease.
async fn holders(database: &Database, lease: &str) -> Vec<i32> {
    sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE application_name = $1")
        .bind(format!("plaza lease {lease}"))
        .fetch_all(database.state())
        .await
        .unwrap()
}
