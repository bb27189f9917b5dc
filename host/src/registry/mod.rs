//! Applications in an OCI registry: a folder becomes an artifact there, and an artifact becomes a folder here, which is served like any other.
//!
//! ```text
//! push   manifest → locked application + contents → layers → registry
//! pull   registry → layers, each by its digest → locked application → folder in the state folder
//! ```
//!
//! The artifact is Spin's: a layer is the [locked application](locked), each component is a layer, and so is each file that is not small
//! enough to stand in the locked application itself.
//!
//! **Invariant:** nothing is used that was not wholly there and did not have its digest. Blobs and folders are made beside their place and
//! moved into it when they are done.

mod access;
mod archive;
mod challenge;
mod contents;
mod credential_helper;
mod credentials;
mod error;
mod fetch;
mod folder;
mod hold;
mod host;
pub mod locked;
pub mod media;
mod packages;
mod prune;
mod pull;
mod push;
mod reference;
mod refusal;
mod remote;
mod store;
mod web;

pub use self::{
    credentials::{Credentials, log_in},
    error::RegistryError,
    fetch::{Failure, fetch, fetch_each},
    hold::{Hold, hold},
    packages::Asker,
    prune::prune,
    pull::{Pulled, pull},
    push::{Pushed, push},
    reference::{Place, Reference},
    store::{Pruned, is_application},
    web::Insecure,
};

use std::{env, path::PathBuf};

/// The folder in which this user keeps settings, if there is one.
fn settings_folder() -> Option<PathBuf> {
    path_variable("XDG_CONFIG_HOME").or_else(|| Some(path_variable("HOME")?.join(".config")))
}

fn path_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
