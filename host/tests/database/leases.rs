//! Leases: one host at a time.

use crate::ground::{on_shared, until};
use futures::FutureExt;

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
