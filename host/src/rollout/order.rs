use std::time::Duration;

use bytes::Bytes;

use super::standing::Origin;
use crate::service::Share;

/// What to deploy, and how.
#[derive(Debug, Clone)]
pub struct Order {
    /// The component.
    pub component: String,
    /// Its `.wasm`.
    pub bytes: Bytes,
    /// Its migrations by file name, where it brings any.
    pub migrations: Vec<(String, String)>,
    /// The share of the requests to try it on, and for how long; `None` switches at once.
    pub trial: Option<(Share, Duration)>,
    /// How long the version before gets to finish.
    pub drain: Duration,
    /// A path to ask it for before it is let in.
    pub probe: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
}
