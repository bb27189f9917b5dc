//! Ticks.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use plaza::schedule::{self, Task, TickFailure};

use crate::ground::{on_shared, until};

/// Counts its ticks, fails each, and notices two at once.
struct Counter {
    component: String,
    ticks: AtomicUsize,
    running: Arc<AtomicUsize>,
}

impl Counter {
    fn new(component: &str, running: &Arc<AtomicUsize>) -> Arc<Self> {
        Arc::new(Self { component: component.to_owned(), ticks: AtomicUsize::new(0), running: Arc::clone(running) })
    }

    fn ticks(&self) -> usize {
        self.ticks.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Task for Counter {
    fn component(&self) -> &str {
        &self.component
    }

    async fn tick(&self) -> Result<(), TickFailure> {
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "two ticks at once");
        tokio::time::sleep(Duration::from_millis(15)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.ticks.fetch_add(1, Ordering::SeqCst);
        Err("every tick of this task fails".to_owned().into())
    }
}

#[test]
fn a_task_ticks_at_once_and_again_though_it_fails_until_it_is_stopped() {
    on_shared(|database| async move {
        let running = Arc::default();
        let rare = Counter::new("rare", &Arc::default());
        let frequent = Counter::new("frequent", &running);
        let schedule = schedule::start(
            database,
            vec![(rare.clone(), Duration::from_secs(3600)), (frequent.clone(), Duration::from_millis(10))],
        );
        until("both have ticked", || async { rare.ticks() == 1 && frequent.ticks() >= 5 }).await;
        schedule.stop(crate::STOP_PATIENCE).await;
        assert_eq!(running.load(Ordering::SeqCst), 0, "the last tick was let finish");
        assert_eq!(rare.ticks(), 1);
    });
}

/// Asks for a pause once, and notes when it was called.
#[derive(Default)]
struct Busy(Mutex<Vec<Instant>>);

#[async_trait]
impl Task for Busy {
    fn component(&self) -> &str {
        "busy"
    }

    async fn tick(&self) -> Result<(), TickFailure> {
        let mut ticks = self.0.lock().unwrap();
        ticks.push(Instant::now());
        match ticks.len() {
            1 => Err(TickFailure { reason: "busy".to_owned(), pause: Some(PAUSE) }),
            _ => Ok(()),
        }
    }
}

const PAUSE: Duration = Duration::from_secs(2);

#[test]
fn who_asks_for_a_pause_gets_it_before_the_next_tick_and_none_after_that() {
    on_shared(|database| async move {
        let busy = Arc::new(Busy::default());
        let schedule = schedule::start(database, vec![(busy.clone(), Duration::from_millis(10))]);
        until("it ticks on", || async { busy.0.lock().unwrap().len() >= 5 }).await;
        schedule.stop(crate::STOP_PATIENCE).await;
        let ticks = busy.0.lock().unwrap();
        assert!(ticks[1].duration_since(ticks[0]) >= PAUSE, "{:?}", ticks[1].duration_since(ticks[0]));
        assert!(ticks[4].duration_since(ticks[1]) < PAUSE, "{:?}", ticks[4].duration_since(ticks[1]));
    });
}

#[test]
fn one_host_ticks_and_another_takes_over_within_seconds() {
    on_shared(|database| async move {
        let running = Arc::default();
        let (one, other) = (Counter::new("shared_tick", &running), Counter::new("shared_tick", &running));
        let every = Duration::from_millis(10);
        let first_host = schedule::start(database, vec![(one.clone(), every)]);
        until("the first host ticks", || async { one.ticks() > 0 }).await;
        let second_host = schedule::start(database, vec![(other.clone(), every)]);
        let so_far = one.ticks();
        until("the first host ticks on", || async { one.ticks() > so_far + 50 }).await;
        assert_eq!(other.ticks(), 0);
        first_host.stop(crate::STOP_PATIENCE).await;
        let began = Instant::now();
        until("the second host ticks", || async { other.ticks() > 0 }).await;
        assert!(began.elapsed() < Duration::from_secs(5));
        second_host.stop(crate::STOP_PATIENCE).await;
    });
}

#[test]
fn a_lost_lease_is_taken_up_again() {
    on_shared(|database| async move {
        let counter = Counter::new("lost_tick", &Arc::default());
        let schedule = schedule::start(database, vec![(counter.clone(), Duration::from_secs(3600))]);
        until("it has ticked", || async { counter.ticks() == 1 }).await;
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'plaza lease tick/lost_tick'")
            .execute(database.state())
            .await
            .unwrap();
        until("it ticks on under a new lease", || async { counter.ticks() == 2 }).await;
        schedule.stop(crate::STOP_PATIENCE).await;
    });
}
