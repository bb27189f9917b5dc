//! Events on a good day.

use std::sync::{Arc, Mutex};

use plaza::events::Event;
use sqlx::Connection;

use crate::{
    ground::{connect, on_shared, until},
    scene::{Recorder, Scene},
};

#[test]
fn events_of_a_key_arrive_in_order_and_their_rows_are_marked() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "ordered").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        let mut connection = connect(&scene.component).await;
        for number in 0..300 {
            scene.publish_in(&mut connection, &format!("key-{}", number % 5), number).await;
        }
        scene.wake.notify_one();
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        for key in 0..5 {
            let expected: Vec<i64> = (0..300).filter(|number| number % 5 == key).collect();
            assert_eq!(recorder.numbers(&format!("key-{key}")), expected);
        }
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn an_event_carries_what_the_row_says() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "faithful").await;
        let kept: Arc<Mutex<Option<Event>>> = Arc::default();
        let keeper = Arc::clone(&kept);
        let recorder = Recorder::new("subscriber", move |event, _| {
            *keeper.lock().unwrap() = Some(event.clone());
            Ok(())
        });
        let events = scene.start(&[&recorder]).await;
        scene.publish("order-1", 7).await;
        until("the event is there", || async { kept.lock().unwrap().is_some() }).await;
        let event = kept.lock().unwrap().take().unwrap();
        assert_eq!(event.value, r#"{"type":"COUNTED","data":{"number": 7}}"#);
        assert_eq!(
            (event.topic.as_str(), event.key.as_str(), event.kind.as_str()),
            (scene.topic(), "order-1", "COUNTED")
        );
        assert_eq!(event.source, format!("/{}", scene.component.name));
        assert_eq!(event.traceparent.as_deref(), Some("00-trace"));
        assert!(event.time.ends_with('Z'), "{}", event.time);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_row_that_is_committed_late_is_not_skipped() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "late").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        let mut slow = connect(&scene.component).await;
        let mut transaction = slow.begin().await.unwrap();
        scene.publish_in(&mut transaction, "slow", 1).await;
        scene.publish("fast", 2).await;
        until("the later row is published", || async {
            recorder.numbers("fast") == [2] && scene.unpublished().await == 0
        })
        .await;
        transaction.commit().await.unwrap();
        until("the earlier row is published", || async {
            recorder.numbers("slow") == [1] && scene.unpublished().await == 0
        })
        .await;
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_key_that_takes_long_holds_up_no_other() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "concurrent").await;
        let recorder = Recorder::content("subscriber");
        let events = scene.start(&[&recorder]).await;
        scene.publish("held", 1).await;
        until("the slow key is being handled", || async { recorder.numbers("held") == [1] }).await;
        scene.publish("held", 2).await;
        scene.publish("free", 3).await;
        until("the free key is published", || async { scene.unpublished().await == 2 }).await;
        assert_eq!(recorder.numbers("held"), [1], "the second waits for the first");
        recorder.let_go.notify_one();
        until("the second is being handled", || async { recorder.numbers("held") == [1, 2] }).await;
        recorder.let_go.notify_one();
        until("every row is marked", || async { scene.unpublished().await == 0 }).await;
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_topic_without_subscribers_is_marked() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "unheard").await;
        let events = scene.start(&[]).await;
        scene.publish("key", 1).await;
        until("the row is marked", || async { scene.unpublished().await == 0 }).await;
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn published_rows_go_after_a_week() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "old").await;
        let mut connection = connect(&scene.component).await;
        sqlx::raw_sql(
            "INSERT INTO outbox (topic, key, type, data, published_at)
             SELECT 'old', 'key', 'OLD', '{}', now() - interval '8 days' FROM generate_series(1, 1200);
             INSERT INTO outbox (topic, key, type, data, published_at) VALUES ('old', 'key', 'OLD', '{}', now() - interval '6 days')",
        )
        .execute(&mut connection)
        .await
        .unwrap();
        let events = scene.start(&[]).await;
        until("old rows are gone", || async { scene.count("SELECT count(*) FROM outbox").await == 1 }).await;
        events.stop(crate::STOP_PATIENCE).await;
    });
}
