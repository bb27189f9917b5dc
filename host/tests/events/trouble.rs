//! Events when something fails.

use std::time::Instant;

use plaza::events::{Failure, Outbox};
use sqlx::Row;

use crate::{
    ground::{connect, on_shared, until},
    scene::{Delivery, Recorder, Scene, number, retry_until},
};

#[test]
fn a_retried_event_parks_its_key_and_comes_again_in_order() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "parked").await;
        let recorder = Recorder::new("subscriber", retry_until(1, 4));
        let events = scene.start(&[&recorder]).await;
        let mut connection = connect(&scene.component).await;
        sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
        for (key, number) in [("parked", 1), ("parked", 2), ("free", 3)] {
            scene.publish_in(&mut connection, key, number).await;
        }
        sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        let attempts: Vec<(i64, u32)> = recorder
            .seen()
            .into_iter()
            .filter(|seen| seen.key == "parked")
            .map(|seen| (seen.number, seen.attempt))
            .collect();
        assert_eq!(attempts, [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1)]);
        let position = |number: i64, attempt: u32| {
            recorder.seen().iter().position(|seen| seen.number == number && seen.attempt == attempt)
        };
        assert!(position(3, 1) < position(1, 4), "the free key did not wait: {:?}", recorder.seen());
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_group_that_has_taken_an_event_does_not_get_it_again_and_goes_on() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "groups").await;
        let content = Recorder::content("content");
        let picky = Recorder::new("picky", retry_until(1, 5));
        let events = scene.start(&[&content, &picky]).await;
        let mut connection = connect(&scene.component).await;
        sqlx::query("BEGIN").execute(&mut connection).await.unwrap();
        scene.publish_in(&mut connection, "key", 1).await;
        scene.publish_in(&mut connection, "key", 2).await;
        sqlx::query("COMMIT").execute(&mut connection).await.unwrap();
        until("the content one has both", || async { content.numbers("key") == [1, 2] }).await;
        assert!(!picky.numbers("key").contains(&2), "the picky one still tries the first");
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(content.numbers("key"), [1, 2]);
        assert_eq!(picky.numbers("key"), [1, 1, 1, 1, 1, 2]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_rejected_event_is_kept_in_the_dead_letters_and_its_key_goes_on() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "rejected").await;
        let recorder = Recorder::new("refuser", |event, _| match number(event) {
            1 => Err(Failure::Reject("no such order\0".to_owned())),
            _ => Ok(()),
        });
        let events = scene.start(&[&recorder]).await;
        scene.publish("key", 1).await;
        scene.publish("key", 2).await;
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(recorder.numbers("key"), [1, 2]);
        let row =
            sqlx::query("SELECT component, reason, event->>'value', event->>'id' FROM dead_letters WHERE topic = $1")
                .bind(scene.topic())
                .fetch_one(database.state())
                .await
                .unwrap();
        assert_eq!(row.get::<String, _>(0), "refuser");
        assert_eq!(row.get::<String, _>(1), "no such order\u{fffd}");
        assert_eq!(row.get::<String, _>(2), r#"{"type":"COUNTED","data":{"number": 1}}"#);
        assert_eq!(row.get::<String, _>(3).len(), 36);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_handler_that_panics_is_tried_again() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "panics").await;
        let recorder = Recorder::new("clumsy", |_, attempt| {
            assert!(attempt > 1, "this panic belongs to the test");
            Ok(())
        });
        let events = scene.start(&[&recorder]).await;
        scene.publish("key", 1).await;
        until("the row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(recorder.numbers("key"), [1, 1]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_lost_connection_is_made_anew() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "reconnects").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        for number in 0..5 {
            sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
                .bind(&scene.component.name)
                .execute(database.state())
                .await
                .unwrap();
            scene.publish("key", number).await;
        }
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(recorder.numbers("key"), [0, 1, 2, 3, 4]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn an_outbox_that_is_not_one_is_refused_with_what_it_lacks() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "malformed").await;
        let refusal = async |outboxes: Vec<Outbox>| scene.try_start(outboxes, &[]).await.err().unwrap().to_string();
        let error = refusal(vec![Outbox { table: "nowhere".to_owned(), ..scene.outbox() }]).await;
        assert!(error.contains("its outbox table `nowhere` does not exist; its migrations must make it"), "{error}");
        sqlx::query("ALTER TABLE outbox DROP COLUMN seq, DROP COLUMN traceparent")
            .execute(&mut connect(&scene.component).await)
            .await
            .unwrap();
        let error = refusal(vec![scene.outbox()]).await;
        assert!(error.contains("lacks seq, traceparent"), "{error}");
        let error = refusal(vec![scene.outbox(), scene.outbox()]).await;
        assert!(error.contains("outbox given twice"), "{error}");
    });
}

#[test]
fn an_event_under_way_when_the_host_dies_is_delivered_again() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "dies").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        scene.publish("held", 1).await;
        until("it is being handled", || async { recorder.numbers("held") == [1] }).await;
        drop(events);
        assert_eq!(scene.unpublished().await, 1);
        let events = scene.start(&[&recorder]).await;
        until("it is being handled again", || async { recorder.numbers("held") == [1, 1] }).await;
        recorder.let_go.notify_waiters();
        until("the row is marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(recorder.seen().last().unwrap(), &Delivery { key: "held".to_owned(), number: 1, attempt: 1 });
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_stop_waits_for_nothing_that_is_parked() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "parked_at_stop").await;
        scene.publish("parked", 1).await;
        // Whether the relay hears of the end of its key before or after the stop is chance.
        for _ in 0..20 {
            let recorder = Recorder::new("subscriber", |_, _| Err(Failure::Retry("not yet".to_owned())));
            let events = scene.start(&[&recorder]).await;
            until("the event is parked", || async { !recorder.seen().is_empty() }).await;
            let begun = Instant::now();
            events.stop(crate::STOP_PATIENCE).await;
            assert!(begun.elapsed() < crate::STOP_PATIENCE / 2, "{:?}", begun.elapsed());
        }
        assert_eq!(scene.unpublished().await, 1);
    });
}

#[test]
fn a_stop_lets_a_handler_finish_and_begins_no_other() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "stops").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        scene.publish("held", 1).await;
        scene.publish("held", 2).await;
        until("the first is being handled", || async { recorder.numbers("held") == [1] }).await;
        // The stop is asked for before the handler is let go.
        tokio::join!(events.stop(crate::STOP_PATIENCE), async { recorder.let_go.notify_one() });
        assert_eq!(recorder.numbers("held"), [1]);
        assert_eq!(scene.unpublished().await, 1);
    });
}
