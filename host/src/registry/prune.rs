//! What was pulled and is needed no more is removed.

use std::path::Path;

use super::{
    error::RegistryError,
    store::{Pruned, Store},
};

/// Removes from a state folder that is there every application but those pulled last out of their repositories, those of these digests, and
/// those that a host serves.
/// `waits` hears of the folder into which somebody is pulling, before that is waited for.
///
/// # Errors
/// What is no digest, and what the system refuses.
pub fn prune(state_dir: &Path, keep: &[String], waits: impl FnOnce(&Path)) -> Result<Pruned, RegistryError> {
    Store::open(state_dir, waits)?.prune(keep)
}
