//! Several hosts on one server.

use crate::{
    ground::{on_shared, until},
    scene::{Recorder, Scene},
};

#[test]
fn one_host_relays_an_outbox_and_another_takes_over() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "handed_over").await;
        let (one, other) = (Recorder::content("subscriber"), Recorder::content("subscriber"));
        let first_host = scene.start(&[&one]).await;
        scene.publish("key", 1).await;
        until("the first host relays", || async { one.numbers("key") == [1] }).await;
        let second_host = scene.start(&[&other]).await;
        for number in 2..20 {
            scene.publish("key", number).await;
        }
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(one.seen().len(), 19);
        assert!(other.seen().is_empty());
        first_host.stop().await;
        scene.publish("key", 20).await;
        until("the second host relays", || async { other.numbers("key") == [20] }).await;
        second_host.stop().await;
    });
}

#[test]
fn a_host_that_loses_its_lease_hands_on_what_was_under_way() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "lease_lost").await;
        let (one, other) = (Recorder::content("subscriber"), Recorder::content("subscriber"));
        let first_host = scene.start(&[&one]).await;
        scene.publish("held", 1).await;
        until("the first host relays", || async { one.numbers("held") == [1] }).await;
        let second_host = scene.start(&[&other]).await;
        let lease = format!("plaza lease outbox/{}", scene.component.name);
        until("the second host waits for the lease", || async {
            let connections: i64 =
                sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE application_name = $1")
                    .bind(&lease)
                    .fetch_one(database.state())
                    .await
                    .unwrap();
            connections == 2
        })
        .await;
        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = $1 AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)",
        )
        .bind(&lease)
        .execute(database.state())
        .await
        .unwrap();
        until("the event is delivered again", || async { one.seen().len() + other.seen().len() == 2 }).await;
        until("the row is marked", || async {
            one.let_go.notify_waiters();
            other.let_go.notify_waiters();
            scene.unpublished().await == 0
        })
        .await;
        first_host.stop().await;
        second_host.stop().await;
    });
}
