//! More events than are in hand at once.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use plaza::events::{Event, Failure, Subscriber, Tally};
use sqlx::Connection;
use tokio_util::sync::CancellationToken;

use crate::{
    ground::{on_shared, until},
    scene::Scene,
};

/// Rows, each of another key than the rows around it, and more keys than a topic has in hand.
const ROWS: i64 = 3_000;
const KEYS: i64 = 1_500;

/// A subscriber that takes nothing until it is let go.
struct Slow(CancellationToken);

#[async_trait]
impl Subscriber for Slow {
    fn component(&self) -> &str {
        "slow"
    }

    async fn handle(&self, _: &Event, _: u32) -> Result<(), Failure> {
        self.0.cancelled().await;
        Ok(())
    }
}

#[test]
fn what_waits_is_counted_and_not_looked_through_while_enough_is_in_hand() {
    on_shared(|database| async move {
        let (scene, tally) = (Scene::new(database, "full").await, Arc::new(Tally::default()));
        let let_go = CancellationToken::new();
        let slow: Arc<dyn Subscriber> = Arc::new(Slow(let_go.clone()));
        scene.publish_many(ROWS, KEYS).await;
        // So that nothing can wait for its subscriber anywhere but in the outbox.
        let mut other = sqlx::PgConnection::connect_with(&database.state().connect_options()).await.unwrap();
        let mut lock = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE waiting_events IN SHARE MODE").execute(&mut *lock).await.unwrap();
        let events = scene.start_counted(vec![scene.outbox()], vec![slow], tally.clone()).await.unwrap();
        let waiting = || tally.backlogs().get(&scene.component.name).map(|backlog| backlog.waiting);
        until("what waits is counted", || async { waiting() == Some(3_000) }).await;
        // The server counts what a connection does once that is still for a second.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let before = scans(&scene).await;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) {
            // Whoever writes on wakes the relay.
            scene.wake.notify_one();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let scans = scans(&scene).await - before;
        assert!(scans < 20, "{scans} scans in four seconds, in which nothing could be taken up");
        lock.rollback().await.unwrap();
        let_go.cancel();
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        until("nothing waits", || async { waiting() == Some(0) }).await;
        events.stop(crate::STOP_PATIENCE).await;
        assert_eq!(waiting(), None, "another host may relay now");
    });
}

/// How often the outbox was read so far.
async fn scans(scene: &Scene) -> i64 {
    scene
        .count("SELECT (seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_user_tables WHERE relname = 'outbox'")
        .await
}
