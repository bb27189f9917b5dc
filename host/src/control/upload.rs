//! What a deploy sends: the names of its parts, for both sides.

use serde::{Deserialize, Serialize};

use crate::limits::ARTIFACT_BYTES;

/// The part with the `.wasm`.
pub const COMPONENT: &str = "component";

/// A part with a migration; its file name is the migration's.
pub const MIGRATION: &str = "migration";

/// What is said of a component that is larger than may be deployed.
pub fn too_large() -> String {
    format!(
        "a component and its migrations may have {} MiB together: build it with optimisations and without debug information",
        ARTIFACT_BYTES / (1024 * 1024)
    )
}

/// How to deploy, in the query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manner {
    /// Try it on this share of the requests first (`10%`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<String>,
    /// How long it is tried, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary_seconds: Option<u32>,
    /// How long the version before gets to finish, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_ms: Option<u64>,
    /// A path that it must answer before it is let in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<String>,
}

/// Which version to go back to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Back {
    /// Its number; the one before where none is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}
