//! Why a database does not do what it was asked for, in the words of each interface.

use std::time::Duration;

use rusqlite::ErrorCode;

use super::bindings::{v2::fermyon::spin::sqlite as v2, v3::spin::sqlite::sqlite as v3};
use crate::sqlite_file::OpenError;

/// Why a database does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The manifest does not grant the database.
    #[error("the database is not granted to this component")]
    NotGranted,
    /// The instance holds too many connections.
    #[error("too many connections are open; close some")]
    TooManyOpen,
    /// A statement computed for too long without a row.
    #[error("the statement was ended: it may take {} ms to a row (limits.request_ms)", .0.as_millis())]
    TooLong(Duration),
    /// There is no room for more.
    #[error("the database is full")]
    Full,
    /// The statement is at fault, or what it ran into; in SQLite's words.
    #[error("{0}")]
    Statement(String),
    /// The database itself failed; the log has the cause.
    #[error("the database failed; the host's log says why")]
    Broken,
}

impl Failure {
    /// An answer that is larger than it may be.
    pub(super) fn too_large(limit: usize) -> Self {
        Self::Statement(format!(
            "the rows are larger than limits.query_bytes ({limit} bytes); ask for fewer rows or columns, or read them as a stream"
        ))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly,
            ) => {
                tracing::error!(%error, "a SQLite database failed");
                Self::Broken
            }
            _ => Self::Statement(error.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        tracing::error!(%error, "a SQLite database cannot be opened");
        Self::Broken
    }
}

impl From<Failure> for v3::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotGranted => Self::AccessDenied,
            Failure::Full => Self::DatabaseFull,
            other => Self::Io(other.to_string()),
        }
    }
}

impl From<Failure> for v2::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotGranted => Self::AccessDenied,
            Failure::Full => Self::DatabaseFull,
            other => Self::Io(other.to_string()),
        }
    }
}
