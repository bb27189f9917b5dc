use serde::{Deserialize, Serialize};

use crate::service::Share;

/// Which versions of a component are to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Counts up with every change, so that a late change is noticed.
    pub revision: i64,
    /// Answers everything that no other is drawn for.
    pub active: Stored,
    /// A newer version that is being tried.
    pub trial: Option<Tried>,
    /// How long a version that answers no more gets to finish, in milliseconds.
    pub drain_ms: u64,
}

/// A version that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its number among the versions of its component.
    pub number: u32,
    /// SHA-256 of its own bytes, in hexadecimal; what is composed into it is no part of them.
    pub hash: String,
    /// Where it came from.
    pub origin: Origin,
}

/// A version on trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Which.
    pub version: Stored,
    /// The part of all requests that it answers.
    pub share: Share,
    /// How long it is watched before it is judged.
    pub seconds: u32,
}

/// Where a version came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The file that the manifest names.
    Manifest,
    /// A deploy.
    Deploy,
}

impl Origin {
    /// As the ledger writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Manifest => "manifest",
            Self::Deploy => "deploy",
        }
    }
}
