//! Subscribers that take nothing for long, and what they hold up: themselves.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use plaza::events::{Event, Events, Failure, Subscriber, Tally};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::{
    ground::{connect, on_shared, until},
    scene::{Recorder, Scene},
};

/// Rows, each of another key than the rows around it, and more keys than a topic has in hand.
const ROWS: i64 = 3_000;
const KEYS: i64 = 1_500;

/// Events that wait for anybody in this scene. Other tests may hold the host's own connections up.
async fn waiting(scene: &Scene) -> i64 {
    let mut connection = PgConnection::connect_with(&scene.database.state().connect_options()).await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM waiting_events WHERE topic = $1")
        .bind(scene.topic())
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// A subscriber that takes nothing until it may.
fn closed(component: &str) -> (Arc<Recorder>, Arc<AtomicBool>) {
    let open = Arc::new(AtomicBool::new(false));
    let may = Arc::clone(&open);
    let answer = move |_: &Event, _| match may.load(Ordering::Relaxed) {
        true => Ok(()),
        false => Err(Failure::Retry("closed".to_owned())),
    };
    (Recorder::new(component, answer), open)
}

/// What a subscriber took of a key, each event once and in the order in which it was told last.
fn taken_in_order(recorder: &Recorder, key: &str) -> Vec<i64> {
    let mut numbers = recorder.numbers(key);
    numbers.dedup();
    numbers
}

async fn start(scene: &Scene, subscribers: [&Arc<Recorder>; 2], tally: &Arc<Tally>) -> Events {
    let subscribers = subscribers.map(|subscriber| Arc::clone(subscriber) as Arc<dyn Subscriber>);
    scene.start_counted(vec![scene.outbox()], subscribers.into(), Arc::clone(tally)).await.unwrap()
}

#[test]
fn a_subscriber_that_takes_nothing_holds_up_no_other_however_much_waits_for_it() {
    on_shared(|database| async move {
        let (scene, tally) = (Scene::new(database, "closed").await, Arc::new(Tally::default()));
        let ((closed, open), content) = (closed("closed"), Recorder::content("content"));
        scene.publish_many(ROWS, KEYS).await;
        let events = start(&scene, [&closed, &content], &tally).await;
        until("the other has all of it, and every row is marked", || async {
            content.seen().len() == 3_000 && scene.unpublished().await == 0
        })
        .await;
        let told = |component: &str| {
            let counts = tally.counts();
            counts.into_iter().find(|count| count.component == component).map(|count| count.waiting)
        };
        until("what waits is counted", || async { told("closed") == Some(3_000) && told("content") == Some(0) }).await;
        assert!(!tally.is_well(), "an operator is told");
        open.store(true, Ordering::Relaxed);
        until("nothing waits", || async { waiting(&scene).await == 0 }).await;
        let mut taken: HashMap<String, Vec<i64>> = HashMap::new();
        for delivery in closed.seen() {
            let numbers = taken.entry(delivery.key).or_default();
            if numbers.last() != Some(&delivery.number) {
                numbers.push(delivery.number);
            }
        }
        for key in 0..KEYS {
            assert_eq!(taken[&format!("key-{key}")], [key, key + KEYS], "of key {key}");
        }
        until("all is well", || async { tally.is_well() }).await;
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn what_waits_is_brought_on_by_the_next_host_before_anything_newer_of_its_key() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "handed_over").await;
        let (closed, open) = closed("closed");
        let events = scene.start(&[&closed]).await;
        scene.publish("key", 1).await;
        scene.publish("key", 2).await;
        until("both wait", || async { waiting(&scene).await == 2 && scene.unpublished().await == 0 }).await;
        drop(events);
        scene.publish("key", 3).await;
        scene.publish("other", 4).await;
        open.store(true, Ordering::Relaxed);
        let events = scene.start(&[&closed]).await;
        until("all was taken", || async { waiting(&scene).await == 0 && scene.unpublished().await == 0 }).await;
        assert_eq!(taken_in_order(&closed, "key"), [1, 2, 3]);
        assert_eq!(closed.numbers("other"), [4]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_key_of_which_nothing_waits_any_more_goes_straight_from_the_outbox_again() {
    on_shared(|database| async move {
        let (scene, tally) = (Scene::new(database, "straight").await, Arc::new(Tally::default()));
        let ((closed, open), content) = (closed("closed"), Recorder::content("content"));
        let events = start(&scene, [&closed, &content], &tally).await;
        scene.publish("key", 1).await;
        until("it waits", || async { waiting(&scene).await == 1 && !tally.is_well() }).await;
        open.store(true, Ordering::Relaxed);
        until("it was taken, and everybody knows", || async { waiting(&scene).await == 0 && tally.is_well() }).await;
        // Whoever waits now waits for this lock.
        let mut other = PgConnection::connect_with(&database.state().connect_options()).await.unwrap();
        let mut lock = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE waiting_events IN SHARE MODE").execute(&mut *lock).await.unwrap();
        scene.publish("key", 2).await;
        until("it arrives all the same", || async { scene.unpublished().await == 0 }).await;
        lock.rollback().await.unwrap();
        assert_eq!(taken_in_order(&closed, "key"), [1, 2]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn an_event_on_its_way_into_the_table_is_not_overtaken_when_all_before_it_is_taken_meanwhile() {
    on_shared(|database| async move {
        let (scene, tally) = (Scene::new(database, "on_its_way").await, Arc::new(Tally::default()));
        let ((closed, open), content) = (closed("closed"), Recorder::content("content"));
        let events = start(&scene, [&closed, &content], &tally).await;
        scene.publish("key", 1).await;
        until("the first waits", || async { waiting(&scene).await == 1 && !tally.is_well() }).await;

        // Somebody is about to put the second there, so the host has to wait for what becomes of that.
        let mut publishing = connect(&scene.component).await;
        let mut published = publishing.begin().await.unwrap();
        scene.publish_in(&mut published, "key", 2).await;
        let id: Uuid = sqlx::query_scalar("SELECT id FROM outbox WHERE data @> '{\"number\": 2}'")
            .fetch_one(&mut *published)
            .await
            .unwrap();
        let mut other = PgConnection::connect_with(&database.state().connect_options()).await.unwrap();
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut other).await.unwrap();
        let mut held = other.begin().await.unwrap();
        sqlx::query(
            "INSERT INTO waiting_events (source, component, topic, event_id, key, kind, time, value)
             VALUES ('/' || $1, 'closed', $1, $2, '', '', '', '')",
        )
        .bind(scene.topic())
        .bind(id)
        .execute(&mut *held)
        .await
        .unwrap();
        published.commit().await.unwrap();
        scene.wake.notify_one();
        until("the host waits for it", || async {
            let mut connection = PgConnection::connect_with(&database.state().connect_options()).await.unwrap();
            let behind =
                sqlx::query_scalar("SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))");
            behind.bind(pid).fetch_one(&mut connection).await.is_ok_and(|waiting: i64| waiting > 0)
        })
        .await;
        open.store(true, Ordering::Relaxed);
        until("the first was taken, and nothing else waits yet", || async {
            waiting(&scene).await == 0 && tally.is_well()
        })
        .await;
        held.rollback().await.unwrap();
        scene.publish("key", 3).await;
        until("all was taken", || async { scene.unpublished().await == 0 && waiting(&scene).await == 0 }).await;
        assert_eq!(taken_in_order(&closed, "key"), [1, 2, 3]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn an_event_that_waits_already_keeps_its_place_when_a_crash_repeats_it() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "repeated").await;
        let (closed, open) = closed("closed");
        let events = scene.start(&[&closed]).await;
        scene.publish("key", 1).await;
        scene.publish("key", 2).await;
        until("both wait", || async { waiting(&scene).await == 2 && scene.unpublished().await == 0 }).await;
        drop(events);
        // As if the host had died before it marked them.
        sqlx::query("UPDATE outbox SET published_at = NULL")
            .execute(&mut connect(&scene.component).await)
            .await
            .unwrap();
        let events = scene.start(&[&closed]).await;
        until("they are marked", || async { scene.unpublished().await == 0 }).await;
        assert_eq!(waiting(&scene).await, 2);
        open.store(true, Ordering::Relaxed);
        until("all was taken", || async { waiting(&scene).await == 0 }).await;
        assert_eq!(taken_in_order(&closed, "key"), [1, 2]);
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn an_event_that_is_rejected_after_it_has_waited_lies_among_the_dead_letters() {
    on_shared(|database| async move {
        let scene = Scene::new(database, "rejected_late").await;
        let reject = Arc::new(AtomicBool::new(false));
        let rejects = Arc::clone(&reject);
        let fickle = Recorder::new("fickle", move |_, _| match rejects.load(Ordering::Relaxed) {
            true => Err(Failure::Reject("never".to_owned())),
            false => Err(Failure::Retry("not yet".to_owned())),
        });
        let events = scene.start(&[&fickle]).await;
        scene.publish("key", 1).await;
        until("it waits", || async { waiting(&scene).await == 1 }).await;
        reject.store(true, Ordering::Relaxed);
        until("it waits no more", || async { waiting(&scene).await == 0 }).await;
        let reason: String = sqlx::query_scalar("SELECT reason FROM dead_letters WHERE topic = $1")
            .bind(scene.topic())
            .fetch_one(database.state())
            .await
            .unwrap();
        assert_eq!(reason, "never");
        events.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn who_asks_for_a_pause_gets_it_although_the_event_waits_elsewhere_meanwhile() {
    // Longer than an event is delivered straight from its outbox.
    const PAUSE: Duration = Duration::from_secs(8);
    on_shared(|database| async move {
        let (scene, calls) = (Scene::new(database, "pause").await, Arc::new(Mutex::new(Vec::new())));
        let called = Arc::clone(&calls);
        let asking = Recorder::new("asking", move |_, _| {
            let mut called = called.lock().unwrap();
            called.push(Instant::now());
            match called.len() {
                1 => Err(Failure::Later { reason: "busy".to_owned(), pause: PAUSE }),
                _ => Ok(()),
            }
        });
        let events = scene.start(&[&asking]).await;
        scene.publish("key", 1).await;
        until("it waits elsewhere", || async { waiting(&scene).await == 1 && scene.unpublished().await == 0 }).await;
        until("it was taken from there", || async { waiting(&scene).await == 0 }).await;
        let [first, second] = calls.lock().unwrap()[..] else { panic!("it is called twice") };
        assert!(second.duration_since(first) >= PAUSE, "{:?}", second.duration_since(first));
        events.stop(crate::STOP_PATIENCE).await;
    });
}
