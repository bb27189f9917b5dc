//! Applications for Spin (`tests/spin-apps`), run as they are: one for each feature.

mod dependencies;
mod key_value;
mod languages;
mod sqlite;
mod static_response;
mod tls;
