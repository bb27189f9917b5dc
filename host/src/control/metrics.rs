//! `GET /metrics`: the status in Prometheus' text format (version 0.0.4).

use std::{
    fmt::Write,
    sync::{Arc, atomic::Ordering},
};

use axum::{extract::State, http::header, response::IntoResponse};

use super::Overview;
use crate::service::Service;

/// A metric: name, kind, meaning, and where its value is.
type Metric = (&'static str, &'static str, &'static str, fn(&Service) -> u64);

const METRICS: &[Metric] = &[
    ("plaza_answered_total", "counter", "Requests and calls that were answered.", |service| {
        service.counters().answered.load(Ordering::Relaxed)
    }),
    ("plaza_failed_total", "counter", "Requests and calls that got no answer from their component.", |service| {
        service.counters().failed.load(Ordering::Relaxed)
    }),
    ("plaza_instances", "gauge", "Live instances.", |service| status(service).0),
    ("plaza_in_flight", "gauge", "Requests and calls that hold a place in an instance.", |service| status(service).1),
    ("plaza_waiting", "gauge", "Requests and calls that wait for a place.", |service| status(service).2),
];

pub(super) async fn answer(State(overview): State<Arc<Overview>>) -> impl IntoResponse {
    let mut services: Vec<_> = overview.services.values().collect();
    services.sort_by(|one, other| one.id.cmp(&other.id));
    let mut text = String::new();
    for (name, kind, meaning, value) in METRICS {
        _ = writeln!(text, "# HELP {name} {meaning}\n# TYPE {name} {kind}");
        for service in &services {
            _ = writeln!(text, "{name}{{component=\"{}\"}} {}", service.id, value(service));
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

fn status(service: &Service) -> (u64, u64, u64) {
    let status = service.active().map(|version| version.status()).unwrap_or_default();
    (status.instances as u64, status.in_flight as u64, status.waiting as u64)
}
