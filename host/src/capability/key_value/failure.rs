//! Why a store does not do what it was asked for, in the words of each interface.

use super::bindings::{
    draft::wasi::keyvalue::store as draft, v2::fermyon::spin::key_value as v2, v3::spin::key_value::key_value as v3,
};

/// Why a store does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The manifest does not grant the store.
    #[error("the store is not granted to this component")]
    NotGranted,
    /// The instance holds too many stores.
    #[error("too many stores are open; close some")]
    TooManyOpen,
    /// The guest asked for something that cannot be.
    #[error("{0}")]
    Refused(String),
    /// There is no room for it.
    #[error("the store is full")]
    Full,
    /// The store itself failed; the log has the cause.
    #[error("the store failed; the host's log says why")]
    Broken,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) {
            return Self::Full;
        }
        tracing::error!(%error, "a key-value store failed");
        Self::Broken
    }
}

impl From<Failure> for v2::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotGranted => Self::AccessDenied,
            Failure::TooManyOpen => Self::StoreTableFull,
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Failure> for v3::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotGranted => Self::AccessDenied,
            Failure::TooManyOpen => Self::StoreTableFull,
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<Failure> for draft::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotGranted => Self::AccessDenied,
            other => Self::Other(other.to_string()),
        }
    }
}
