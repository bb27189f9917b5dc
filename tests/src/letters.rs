//! An application whose components reject what a test tells them to: `tests/apps/letters`.

use serde_json::Value;

use crate::{Host, Setup, databases::Databases, operator::Done, until};

/// Where its events are published.
pub const TOPIC: &str = "desk-events";

/// Who publishes them.
const PUBLISHER: &str = "desks";

/// The application, served by a host.
pub struct Letters {
    /// The host.
    pub host: Host,
    /// Its databases.
    pub databases: Databases,
}

impl Letters {
    /// How it is started.
    pub fn setup() -> Setup {
        Setup::of("tests/apps/letters/spin.toml")
    }

    /// Served so.
    pub fn on(setup: Setup) -> Self {
        let host = setup.start();
        Self { databases: Databases::of(&host), host }
    }

    /// Has a component answer so to the events of a key from now on: `reject …`, `retry …` or `take`.
    pub async fn answers(&self, component: &str, key: &str, answer: &str) {
        let statement = format!(
            "INSERT INTO answers VALUES ('{key}', '{answer}') ON CONFLICT (key) DO UPDATE SET answer = excluded.answer"
        );
        self.databases.execute(&format!("{component}_database"), &statement).await;
    }

    /// Publishes events of a key, with these numbers to know them by.
    pub async fn publish(&self, key: &str, numbers: std::ops::Range<i64>) {
        let statement = format!(
            "INSERT INTO outbox (topic, key, type, data, traceparent)
             SELECT '{TOPIC}', '{key}', 'DESK_MOVED', jsonb_build_object('number', number), '00-trace'
             FROM generate_series({}, {}) AS number",
            numbers.start,
            numbers.end - 1
        );
        self.databases.execute(&format!("{PUBLISHER}_database"), &statement).await;
    }

    /// The dead letters that the list shows, asked for with these arguments.
    pub async fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.host.operate(&[&["events", "list", "--json"], arguments].concat()).await.expect();
        let listed: Value = serde_json::from_str(&printed.text).unwrap_or_else(|_| panic!("no JSON: {}", printed.text));
        listed["letters"].as_array().expect("a list").clone()
    }

    /// The names of a component's dead letters with this key, the newest first, once there are so many.
    pub async fn names(&self, component: &str, key: &str, count: usize) -> Vec<String> {
        until(&format!("{component} has rejected {count} events of {key}"), async || {
            let all = self.list(&["--component", component, "--limit", "1000"]).await;
            let mine = all.iter().filter(|letter| letter["key"] == key);
            let names: Vec<String> = mine.map(|letter| letter["name"].as_str().expect("a name").to_owned()).collect();
            (names.len() == count).then_some(names)
        })
        .await
    }

    /// A component rejects an event of this key; returns its name among the dead letters.
    pub async fn rejected(&self, component: &str, key: &str) -> String {
        self.answers(component, key, "reject there is no such desk").await;
        self.publish(key, 1..2).await;
        self.names(component, key, 1).await.remove(0)
    }

    /// `plaza events replay <arguments>`.
    pub async fn replay(&self, arguments: &[&str]) -> Done {
        self.host.operate(&[&["events", "replay"], arguments].concat()).await
    }

    /// The numbers of a key's events of which a component had an effect, in that order.
    pub async fn effects(&self, component: &str, key: &str) -> Vec<i64> {
        let query =
            format!("SELECT (value::jsonb #>> '{{data,number}}')::bigint FROM taken WHERE key = '{key}' ORDER BY id");
        let rows = self.databases.rows::<(i64,)>(&format!("{component}_database"), &query).await;
        rows.into_iter().map(|(number,)| number).collect()
    }

    /// How often events of a key were given to a component.
    pub async fn deliveries(&self, component: &str, key: &str) -> i64 {
        let query = format!("SELECT count(*) FROM deliveries WHERE key = '{key}'");
        self.databases.number(&format!("{component}_database"), &query).await
    }
}
