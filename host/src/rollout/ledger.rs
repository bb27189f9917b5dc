//! Where it is written down which versions there are and which of them answer.

mod folder;
mod postgres;

use std::{collections::BTreeMap, path::PathBuf};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use self::{folder::InFolder, postgres::InPostgres};
use super::{
    judge::Seen,
    standing::{Origin, Standing, Stored},
};

/// Versions kept of each component: those that answered last, the one that answers among them.
pub const KEPT_VERSIONS: i64 = 5;

/// Entries of its history kept of each component.
pub const KEPT_ENTRIES: i64 = 200;

/// Keeps versions and standings of one application.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Which versions are to answer, by component.
    async fn standings(&self) -> Result<BTreeMap<String, Standing>, LedgerError>;

    /// The versions that are kept of a component, the newest first.
    async fn versions(&self, component: &str) -> Result<Vec<Kept>, LedgerError>;

    /// The bytes of a version.
    async fn artifact(&self, hash: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Tells the other hosts of bytes of which a version of a component will be made if they fit, so that they can compile them meanwhile.
    async fn offer(&self, component: &str, hash: &str, bytes: &[u8]) -> Result<(), LedgerError>;

    /// Keeps a new version, under the next number.
    async fn add(&self, component: &str, hash: &str, bytes: &[u8], origin: Origin) -> Result<Stored, LedgerError>;

    /// Makes a standing the one that holds, if the one before has the revision that this one was made from (0 where there
    /// was none), and notes it in the history. Versions that neither answer nor are among the few that answered last are
    /// forgotten.
    async fn stand(&self, component: &str, standing: &Standing, entry: Entry) -> Result<Standing, LedgerError>;

    /// The hash of the manifest's file that was taken up last, by component, where that is known.
    async fn files(&self) -> Result<BTreeMap<String, String>, LedgerError>;

    /// Notes the hash of the manifest's file that was taken up for a component that has a standing.
    async fn take_up_file(&self, component: &str, hash: &str) -> Result<(), LedgerError>;

    /// Forgets a version that was not let in, and notes in the history why. Its number, if it had one already, is not given again.
    async fn refuse(&self, component: &str, number: Option<u32>, why: String) -> Result<(), LedgerError>;

    /// Tells what this host has seen of a version on trial, and returns what all hosts have.
    async fn tell_seen(&self, component: &str, number: u32, seen: Seen) -> Result<Seen, LedgerError>;

    /// The history of a component, the latest first.
    async fn history(&self, component: &str) -> Result<Vec<Past>, LedgerError>;

    /// What another host has done, as soon as it is heard of.
    async fn news(&self) -> News;
}

/// A version that is kept, and when it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which.
    #[serde(flatten)]
    pub version: Stored,
    /// When it last answered what no other was drawn for; `None` of one that never did.
    #[serde(default)]
    pub answered_at: Option<DateTime<Utc>>,
}

/// What another host has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It may have changed which versions answer.
    Standings,
    /// It offers bytes for a component.
    Offer {
        /// The component's id.
        component: String,
        /// The hash of the bytes.
        hash: String,
    },
}

/// Something that happened to a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which version; `None` of one that was refused before it was kept.
    pub number: Option<u32>,
    /// What happened.
    pub what: What,
    /// More about it, for people.
    pub detail: Option<String>,
}

/// What happened to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It answers everything.
    Active,
    /// It answers a share.
    Trial,
    /// It was not let in.
    Refused,
    /// It was taken away again.
    RolledBack,
}

/// An entry of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Which version; 0 of one that was refused before it was kept.
    pub number: u32,
    /// Its hash, as long as it is kept.
    pub hash: Option<String>,
    /// What happened: `active`, `trial`, `refused`, `rolled_back`.
    pub what: String,
    /// More about it.
    pub detail: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why something cannot be read or written down.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else was faster.
    #[error("another deploy of {component} came in between; look at `plaza status` and try again")]
    Overtaken {
        /// Which component.
        component: String,
    },
    /// The database does not answer, or says no.
    #[error("the state database: {0}")]
    Database(#[from] sqlx::Error),
    /// It was asked to write down which version answers, and has not said whether it did.
    #[error(
        "the state database was lost while it wrote down which version of {component} answers ({cause}), and has not come back: \
         what it says then holds; look at `plaza status` once it answers"
    )]
    Unsettled {
        /// Which component.
        component: String,
        /// What was lost.
        cause: sqlx::Error,
    },
    /// The state folder cannot be read or written.
    #[error("{path}: {cause}; see that it is readable and writable and its disk has room")]
    Folder {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
}

impl What {
    /// As the ledger writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Trial => "trial",
            Self::Refused => "refused",
            Self::RolledBack => "rolled_back",
        }
    }
}
