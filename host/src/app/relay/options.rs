//! What a relay is started with.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{events::KafkaSettings, manifest::Source, over_http::Address, server::Listen};

/// Whose events and clock, and where everything is.
#[derive(Debug, Clone)]
pub struct Options {
    /// The manifest and its profile.
    pub manifest: Source,
    /// Where the application is served.
    pub target: Address,
    /// The authorities to trust there, in place of Mozilla's.
    pub authorities: Option<PathBuf>,
    /// The variable of the manifest that holds the token to show there.
    pub token_variable: String,
    /// Where the admin port listens.
    pub control: Listen,
    /// The folder for the control token.
    pub state_dir: PathBuf,
    /// The server with the components' databases, as its administrator.
    pub database_url: String,
    /// Kafka, where it is to carry the events; else they stay in this process.
    pub kafka: Option<KafkaSettings>,
    /// `--variable`, by the variable's name.
    pub variables: BTreeMap<String, String>,
    /// `SPIN_VARIABLE_<NAME>`, likewise.
    pub environment: BTreeMap<String, String>,
}
