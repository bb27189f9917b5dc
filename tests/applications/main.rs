//! Applications for Spin (`tests/spin-apps`), run as they are: one for each feature.

mod dependencies;
mod features;
mod flags;
mod key_value;
mod languages;
mod manifests;
mod middleware;
mod recomposed;
mod redis;
mod redis_trigger;
mod release_candidate;
mod sqlite;
mod static_response;
mod tls;
