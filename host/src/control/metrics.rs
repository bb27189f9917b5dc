//! `GET /metrics`: the status in Prometheus' text format (version 0.0.4).

use std::{fmt::Write, sync::Arc};

use axum::{extract::State, http::header, response::IntoResponse};

use super::{Desk, status};
use crate::{
    events::{Backlog, GroupCount, Tally},
    redis_trigger::Standing,
    service::Version,
};

/// A metric: name, kind, meaning, and where its value is.
type Metric = (&'static str, &'static str, &'static str, fn(&status::VersionStatus) -> u64);

const METRICS: &[Metric] = &[
    ("plaza_answered_total", "counter", "Requests and calls that were answered.", |version| version.answered),
    (
        "plaza_bad_total",
        "counter",
        "Answers with a status from 500 on, events not taken, and calls answered unavailable.",
        |version| version.bad,
    ),
    ("plaza_failed_total", "counter", "Requests and calls that got no answer.", |version| version.failed),
    ("plaza_instances", "gauge", "Live instances.", |version| version.pool.instances as u64),
    ("plaza_in_flight", "gauge", "Requests and calls that hold a place in an instance.", |version| {
        version.pool.in_flight as u64
    }),
    ("plaza_waiting", "gauge", "Requests and calls that wait for a place.", |version| version.pool.waiting as u64),
];

/// The same of a subscriber and a topic.
type EventMetric = (&'static str, &'static str, &'static str, fn(&GroupCount) -> u64);

const EVENT_METRICS: &[EventMetric] = &[
    ("plaza_events_taken_total", "counter", "Events that a subscriber took.", |count| count.taken),
    ("plaza_events_retries_total", "counter", "Deliveries that had to be made again.", |count| count.retries),
    ("plaza_events_dead_letters_total", "counter", "Events that went to the dead letters.", |count| count.rejected),
    ("plaza_events_parked", "gauge", "Events that wait for their next delivery.", |count| count.parked),
    (
        "plaza_events_waiting",
        "gauge",
        "Events that a subscriber did not take for some seconds, of each outbox up to 10000.",
        |count| count.waiting,
    ),
];

/// The same of an outbox.
type OutboxMetric = (&'static str, &'static str, fn(&Backlog) -> u64);

const OUTBOX_METRICS: &[OutboxMetric] = &[
    ("plaza_outbox_waiting", "Events in an outbox that are not published yet, counted up to 10000.", |backlog| {
        backlog.waiting
    }),
    ("plaza_outbox_refused", "Keys of an outbox that wait since the bus refuses an event of theirs.", |backlog| {
        backlog.refused
    }),
];

/// The same of a component on a Redis channel.
type ChannelMetric = (&'static str, &'static str, &'static str, fn(&Standing) -> u64);

const CHANNEL_METRICS: &[ChannelMetric] = &[
    ("plaza_channel_up", "gauge", "Whether a component hears a Redis channel.", |one| u64::from(one.away.is_none())),
    ("plaza_messages_taken_total", "counter", "Messages of a Redis channel that a component took.", |one| one.taken),
    ("plaza_messages_failed_total", "counter", "Messages that it did not take; they do not come again.", |one| {
        one.failed
    }),
];

/// Which percentiles of the time to an answer are told.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

pub(super) async fn answer(State(desk): State<Arc<Desk>>) -> impl IntoResponse {
    let services = desk.rollout.services();
    let mut text = String::new();
    for (name, kind, meaning, value) in METRICS {
        _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
        for service in &services {
            for one in status::versions(service) {
                let labels = format!("component=\"{}\",version=\"{}\",role=\"{}\"", service.id, one.version, one.role);
                _ = writeln!(text, "{name}{{{labels}}} {}", value(&one));
            }
        }
    }
    let name = "plaza_duration_seconds";
    _ = writeln!(text, "# HELP {name} Time to the head of an answer.\n# TYPE {name} summary");
    for service in &services {
        let answering = service.versions();
        for version in answering.iter().flat_map(|versions| versions.all()) {
            durations(&mut text, name, &service.id, version);
        }
    }
    events(&mut text, &desk.events);
    channels(&mut text, &desk.listeners.standings());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// What is counted of events.
pub(super) fn events(text: &mut String, tally: &Tally) {
    let name = "plaza_bus_up";
    _ = writeln!(text, "# HELP {name} Whether what carries the events answers.\n# TYPE {name} gauge");
    _ = writeln!(text, "{name} {}", u8::from(tally.bus_answers()));
    let backlogs = tally.backlogs();
    for (name, meaning, value) in OUTBOX_METRICS {
        _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} gauge");
        for (component, backlog) in &backlogs {
            _ = writeln!(text, "{name}{{component=\"{component}\"}} {}", value(backlog));
        }
    }
    let counts = tally.counts();
    for (name, kind, meaning, value) in EVENT_METRICS {
        _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
        for count in &counts {
            _ = writeln!(text, "{name}{{{}}} {}", subscriber(count), value(count));
        }
    }
    let name = "plaza_events_lag";
    _ = writeln!(text, "# HELP {name} Events on the bus that are not taken yet.\n# TYPE {name} gauge");
    for count in &counts {
        for (partition, lag) in &count.lag {
            _ = writeln!(text, "{name}{{{},partition=\"{partition}\"}} {lag}", subscriber(count));
        }
    }
}

fn channels(text: &mut String, standings: &[Standing]) {
    if standings.is_empty() {
        return;
    }
    for (name, kind, meaning, value) in CHANNEL_METRICS {
        _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
        for one in standings {
            let Standing { component, channel, address, .. } = one;
            let channel = escaped(channel);
            let labels = format!("component=\"{component}\",channel=\"{channel}\",address=\"{}\"", escaped(address));
            _ = writeln!(text, "{name}{{{labels}}} {}", value(one));
        }
    }
}

/// A label's value as the format has it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn subscriber(count: &GroupCount) -> String {
    format!("component=\"{}\",topic=\"{}\"", count.component, count.topic)
}

fn durations(text: &mut String, name: &str, component: &str, version: &Version) {
    let count = version.tally.count();
    let labels = format!("component=\"{component}\",version=\"{}\"", version.label);
    for quantile in QUANTILES {
        let seconds = count.percentile(quantile).as_secs_f64();
        _ = writeln!(text, "{name}{{{labels},quantile=\"{quantile}\"}} {seconds}");
    }
    _ = writeln!(text, "{name}_count{{{labels}}} {}", count.total());
}
