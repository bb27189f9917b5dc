//! The admin port of a relay: whether it lives, what waits, and what was rejected.

use std::{fmt::Write, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DEGRADED, Office, Routes, Status, dead_letters, metrics::events};
use crate::{database::Database, events::Tally, over_http::Target};

/// What the admin port of a relay tells of.
pub struct RelayDesk {
    /// The application's name.
    pub application: String,
    /// Where it is served.
    pub target: Arc<Target>,
    /// The server with its databases.
    pub database: Arc<Database>,
    /// What became of events.
    pub events: Arc<Tally>,
    /// Where dead letters are found.
    pub office: Arc<dyn Office>,
}

/// What is relayed, and how that stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct RelayStatus {
    /// Where the application is served.
    pub target: String,
    /// The outboxes that are this relay's at the moment: each has one on one host.
    pub outboxes: Vec<OutboxStatus>,
    /// Those who get the events.
    pub subscribers: Vec<SubscriberStatus>,
    /// Components that are not reached, and why.
    pub unreached: Vec<Unreached>,
}

/// How an outbox stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct OutboxStatus {
    /// Whose it is.
    pub component: String,
    /// Events that are not published yet, counted up to 10,000.
    pub waiting: u64,
    /// Keys that wait since the bus refuses an event of theirs.
    pub refused: u64,
}

/// How a subscriber of a topic stands.
#[derive(Debug, Serialize, Deserialize)]
pub struct SubscriberStatus {
    /// The component.
    pub component: String,
    /// The topic.
    pub topic: String,
    /// Events that it took since the relay started.
    pub taken: u64,
    /// Deliveries that had to be made again.
    pub retries: u64,
    /// Events that it rejected.
    pub rejected: u64,
    /// Events that wait for their next delivery.
    pub parked: u64,
    /// Events on the brokers that it has not taken, where there are any.
    pub lag: i64,
}

/// A component that is not reached.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unreached {
    /// Its id.
    pub component: String,
    /// Why.
    pub reason: String,
}

impl RelayDesk {
    /// What the admin port of a relay answers.
    pub fn routes(self) -> Routes {
        let letters: Router<Arc<Self>> = dead_letters::routes(self.office.clone());
        let desk = Arc::new(self);
        let guarded = Router::new().route("/status", get(status)).route("/metrics", get(metrics)).merge(letters);
        let open = Router::new().route("/health/live", get(live)).route("/health/ready", get(ready));
        Routes { guarded: guarded.with_state(desk.clone()), open: open.with_state(desk) }
    }

    /// Whether all flows that this relay carries.
    fn is_well(&self) -> bool {
        self.events.is_well() && self.target.standing().is_well()
    }

    fn word(&self) -> &'static str {
        if self.is_well() { "ok" } else { DEGRADED }
    }
}

/// It is here, and does something.
async fn live() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// Without its database a relay does nothing. That the application, or what carries the events, is away is another's trouble, through
/// which nothing is lost.
async fn ready(State(desk): State<Arc<RelayDesk>>) -> (StatusCode, Json<Value>) {
    match desk.database.answers().await {
        true => (StatusCode::OK, Json(json!({"status": desk.word()}))),
        false => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable"}))),
    }
}

async fn status(State(desk): State<Arc<RelayDesk>>) -> Json<Status> {
    let outboxes = desk.events.backlogs().into_iter();
    let outboxes = outboxes.map(|(component, backlog)| OutboxStatus {
        component,
        waiting: backlog.waiting,
        refused: backlog.refused,
    });
    let subscribers = desk.events.counts().into_iter().map(|count| SubscriberStatus {
        lag: count.lag.values().sum(),
        component: count.component,
        topic: count.topic,
        taken: count.taken,
        retries: count.retries,
        rejected: count.rejected,
        parked: count.parked + count.waiting,
    });
    let standing = desk.target.standing().all().into_iter();
    let unreached = standing.filter_map(|(component, reason)| Some(Unreached { component, reason: reason? }));
    let relay = RelayStatus {
        target: desk.target.address().to_string(),
        outboxes: outboxes.collect(),
        subscribers: subscribers.collect(),
        unreached: unreached.collect(),
    };
    let (application, events) = (desk.application.clone(), desk.word().to_owned());
    Json(Status { application, events, components: Vec::new(), relay: Some(relay), channels: Vec::new() })
}

async fn metrics(State(desk): State<Arc<RelayDesk>>) -> impl IntoResponse {
    let mut text = String::new();
    let name = "plaza_component_reached";
    _ = writeln!(text, "# HELP {name} Whether a component answers at its address.\n# TYPE {name} gauge");
    for (component, trouble) in desk.target.standing().all() {
        _ = writeln!(text, "{name}{{component=\"{component}\"}} {}", u8::from(trouble.is_none()));
    }
    events(&mut text, &desk.events);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
