//! Several hosts on one server.

use futures::future::join_all;
use plaza::database::Database;

use crate::{
    ground::{connect, on_shared, until},
    scene::{Recorder, Scene},
};

/// Relays that lose their leases at once, how often, and events of each while that happens.
const RELAYS: usize = 8;
const ROUNDS: i64 = 3;
const BUSY_EVENTS: i64 = 1_500;

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
        first_host.stop(crate::STOP_PATIENCE).await;
        scene.publish("key", 20).await;
        until("the second host relays", || async { other.numbers("key") == [20] }).await;
        second_host.stop(crate::STOP_PATIENCE).await;
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
        first_host.stop(crate::STOP_PATIENCE).await;
        second_host.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_host_goes_on_relaying_however_often_it_loses_its_leases() {
    on_shared(|database| async move {
        let mut hosts = Vec::new();
        for _ in 0..RELAYS {
            let (scene, recorder) = (Scene::new(database, "lost_often").await, Recorder::content("subscriber"));
            let host = scene.start(&[&recorder]).await;
            hosts.push((scene, recorder, host));
        }
        for round in 0..ROUNDS {
            // Each relay is kept busy while its lease goes, so that it meets the loss at whatever it does.
            join_all(hosts.iter().map(async |(scene, _, _)| {
                let mut connection = connect(&scene.component).await;
                for number in 0..BUSY_EVENTS {
                    scene.publish_in(&mut connection, &format!("{round}/{}", number % 7), number).await;
                    scene.wake.notify_one();
                    if number == BUSY_EVENTS / 8 {
                        lose_lease(database, scene).await;
                    }
                }
            }))
            .await;
            for (scene, _, _) in &hosts {
                until("every row is marked", || async { scene.unpublished().await == 0 }).await;
            }
        }
        for (_, recorder, host) in hosts {
            let last = (BUSY_EVENTS - 1, format!("{}/{}", ROUNDS - 1, (BUSY_EVENTS - 1) % 7));
            assert!(recorder.numbers(&last.1).contains(&last.0));
            host.stop(crate::STOP_PATIENCE).await;
        }
    });
}

/// Ends the connection that the lease is held by, as a server that goes away does.
async fn lose_lease(database: &Database, scene: &Scene) {
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1")
        .bind(format!("plaza lease outbox/{}", scene.component.name))
        .execute(database.state())
        .await
        .unwrap();
}
