//! A component with an outbox, and subscribers that remember what they were given.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use plaza::{
    database::{ComponentDatabase, Database},
    events::{self, Event, Events, EventsError, Failure, Outbox, Subscriber, Subscription, Tally},
};
use sqlx::PgConnection;
use tokio::sync::Notify;

use crate::ground::{connect, fresh_component};

const OUTBOX: &str = "CREATE TABLE outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    seq bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL, key text NOT NULL, type text NOT NULL, data jsonb NOT NULL, traceparent text,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz)";

/// A component whose events have one topic, named like it, so that tests on one server stay apart.
pub struct Scene {
    pub database: &'static Database,
    pub component: ComponentDatabase,
    pub wake: Arc<Notify>,
}

impl Scene {
    pub async fn new(database: &'static Database, name: &str) -> Self {
        let component = fresh_component(database, name).await;
        sqlx::query(OUTBOX).execute(&mut connect(&component).await).await.unwrap();
        Self { database, component, wake: Arc::default() }
    }

    pub fn topic(&self) -> &str {
        &self.component.name
    }

    pub fn outbox(&self) -> Outbox {
        Outbox {
            component: self.component.name.clone(),
            url: self.component.url.clone(),
            table: "outbox".to_owned(),
            wake: Arc::clone(&self.wake),
        }
    }

    /// Starts as a host does.
    pub async fn start(&self, subscribers: &[&Arc<Recorder>]) -> Events {
        self.try_start(vec![self.outbox()], subscribers).await.unwrap()
    }

    pub async fn try_start(
        &self,
        outboxes: Vec<Outbox>,
        subscribers: &[&Arc<Recorder>],
    ) -> Result<Events, EventsError> {
        let subscribers = subscribers.iter().map(|subscriber| Arc::clone(*subscriber) as Arc<dyn Subscriber>);
        self.start_counted(outboxes, subscribers.collect(), Arc::default()).await
    }

    /// The same, counted in `tally`.
    pub async fn start_counted(
        &self,
        outboxes: Vec<Outbox>,
        subscribers: Vec<Arc<dyn Subscriber>>,
        tally: Arc<Tally>,
    ) -> Result<Events, EventsError> {
        let subscription = |subscriber| Subscription { topic: self.topic().to_owned(), subscriber };
        let subscriptions = subscribers.into_iter().map(subscription).collect();
        events::start(self.database, outboxes, subscriptions, None, tally).await
    }

    /// Publishes one event of a key, with a number to know it by.
    pub async fn publish(&self, key: &str, number: i64) {
        self.publish_in(&mut connect(&self.component).await, key, number).await;
    }

    pub async fn publish_in(&self, connection: &mut PgConnection, key: &str, number: i64) {
        sqlx::query("INSERT INTO outbox (topic, key, type, data, traceparent) VALUES ($1, $2, 'COUNTED', jsonb_build_object('number', $3::bigint), '00-trace')")
            .bind(self.topic())
            .bind(key)
            .bind(number)
            .execute(connection)
            .await
            .unwrap();
    }

    /// Publishes `events` events with numbers from 0 on, on `keys` keys in turn, named after their number.
    pub async fn publish_many(&self, events: i64, keys: i64) {
        sqlx::query(
            "INSERT INTO outbox (topic, key, type, data, traceparent)
             SELECT $1, 'key-' || number % $3, 'COUNTED', jsonb_build_object('number', number), '00-trace'
             FROM generate_series(0, $2 - 1) AS number",
        )
        .bind(self.topic())
        .bind(events)
        .bind(keys)
        .execute(&mut connect(&self.component).await)
        .await
        .unwrap();
        self.wake.notify_one();
    }

    pub async fn unpublished(&self) -> i64 {
        self.count("SELECT count(*) FROM outbox WHERE published_at IS NULL").await
    }

    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut connect(&self.component).await).await.unwrap()
    }
}

/// What a handler does with an event of a key at an attempt.
type Answer = Box<dyn Fn(&Event, u32) -> Result<(), Failure> + Send + Sync>;

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub key: String,
    pub number: i64,
    pub attempt: u32,
}

/// A subscriber that remembers deliveries, and holds up those of the key `held` until it is let go.
pub struct Recorder {
    component: String,
    answer: Answer,
    seen: Mutex<Vec<Delivery>>,
    pub let_go: Notify,
}

impl Recorder {
    pub fn new(
        component: &str,
        answer: impl Fn(&Event, u32) -> Result<(), Failure> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            component: component.to_owned(),
            answer: Box::new(answer),
            seen: Mutex::default(),
            let_go: Notify::new(),
        })
    }

    pub fn content(component: &str) -> Arc<Self> {
        Self::new(component, |_, _| Ok(()))
    }

    pub fn seen(&self) -> Vec<Delivery> {
        self.seen.lock().unwrap().clone()
    }

    /// The numbers delivered for a key, in order.
    pub fn numbers(&self, key: &str) -> Vec<i64> {
        self.seen().into_iter().filter(|delivery| delivery.key == key).map(|delivery| delivery.number).collect()
    }
}

#[async_trait]
impl Subscriber for Recorder {
    fn component(&self) -> &str {
        &self.component
    }

    async fn handle(&self, event: &Event, attempt: u32) -> Result<(), Failure> {
        self.seen.lock().unwrap().push(Delivery { key: event.key.clone(), number: number(event), attempt });
        if event.key == "held" {
            self.let_go.notified().await;
        }
        (self.answer)(event, attempt)
    }
}

/// The number that an event carries.
pub fn number(event: &Event) -> i64 {
    let value: serde_json::Value = serde_json::from_str(&event.value).unwrap();
    assert_eq!(value.get("type").unwrap(), "COUNTED");
    value.pointer("/data/number").unwrap().as_i64().unwrap()
}

/// Retries the number as long as the attempt is not the wanted one.
pub fn retry_until(number_: i64, wanted: u32) -> impl Fn(&Event, u32) -> Result<(), Failure> + Send + Sync + 'static {
    move |event, attempt| match number(event) == number_ && attempt < wanted {
        true => Err(Failure::Retry("not yet".to_owned())),
        false => Ok(()),
    }
}
