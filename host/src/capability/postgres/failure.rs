//! Errors of sqlx and of the pool as the interface's errors. None carries a parameter's value or a password.

use super::address::AddressError;
use super::{DbError, Error, QueryError};
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// An interface error, boxed because the structured one is large.
pub type Failure = Box<Error>;

/// SQLSTATE `feature_not_supported`, which a prepared statement gives whose columns have changed since.
const FEATURE_NOT_SUPPORTED: &str = "0A000";
/// SQLSTATE of a prepared statement that the server has forgotten.
const UNKNOWN_STATEMENT: &str = "26000";
/// SQLSTATE `invalid_authorization_specification`, with which a line of `pg_hba.conf` or its absence turns one away.
const INVALID_AUTHORIZATION: &str = "28000";
/// SQLSTATE `syntax_error`.
const SYNTAX_ERROR: &str = "42601";
/// SQLSTATEs after which the server closes the connection: `admin_shutdown`, `crash_shutdown`, `cannot_connect_now`,
/// `database_dropped`, `idle_session_timeout`.
const CLOSING_STATES: [&str; 5] = ["57P01", "57P02", "57P03", "57P04", "57P05"];
/// SQLSTATEs that pass by themselves while connecting: too many connections, starting up.
const PASSING_STATES: [&str; 2] = ["53300", "57P03"];

/// The failure of a statement.
pub fn of_statement(error: &sqlx::Error) -> Failure {
    if let Some(database) = database_error(error) {
        return Box::new(if CLOSING_STATES.contains(&database.code()) {
            Error::ConnectionFailed(format!("the database closed the connection: {}", database.message()))
        } else {
            Error::QueryFailed(QueryError::DbError(db_error(database)))
        });
    }
    Box::new(if loses_connection(error) {
        Error::ConnectionFailed(format!("the connection to the database was lost: {error}"))
    } else {
        Error::QueryFailed(QueryError::Text(error.to_string()))
    })
}

/// The failure to connect to `host`:`port`.
pub fn of_connecting(error: &sqlx::Error, host: &str, port: u16) -> Failure {
    let reason = match database_error(error) {
        Some(database) => database.message().to_owned(),
        None => error.to_string(),
    };
    Box::new(Error::ConnectionFailed(format!("cannot connect to the database at {host}:{port}: {reason}")))
}

/// The failure of an address that cannot be used.
pub fn of_address(error: &AddressError) -> Failure {
    connection(error.to_string())
}

/// A failure to get a connection.
pub fn connection(message: impl Into<String>) -> Failure {
    Box::new(Error::ConnectionFailed(message.into()))
}

/// A parameter that cannot be sent.
pub fn parameter(message: impl Into<String>) -> Failure {
    Box::new(Error::BadParameter(message.into()))
}

/// A bound of the host that was hit.
pub fn limit(message: impl Into<String>) -> Failure {
    Box::new(Error::Other(message.into()))
}

/// Whether the connection is of no use after `error`.
pub fn loses_connection(error: &sqlx::Error) -> bool {
    match database_error(error) {
        Some(database) => CLOSING_STATES.contains(&database.code()) || database.severity() != PgSeverity::Error,
        None => matches!(
            error,
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed
        ),
    }
}

/// Whether connecting may succeed a moment later.
pub fn may_pass(error: &sqlx::Error) -> bool {
    match (database_error(error), error) {
        (Some(database), _) => PASSING_STATES.contains(&database.code()),
        (None, sqlx::Error::Io(io)) => matches!(
            io.kind(),
            std::io::ErrorKind::ConnectionRefused
                // The socket of a server that is not running.
                | std::io::ErrorKind::NotFound
                | std::io::ErrorKind::ConnectionReset
                | std::io::ErrorKind::ConnectionAborted
                | std::io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

/// Whether the server does not want a connection that is encrypted, or one that is not.
pub fn is_turned_away(error: &sqlx::Error) -> bool {
    match (database_error(error), error) {
        (Some(database), _) => database.code() == INVALID_AUTHORIZATION,
        (None, sqlx::Error::Tls(_)) => true,
        // What goes wrong in the handshake itself.
        (None, sqlx::Error::Io(io)) => io.kind() == std::io::ErrorKind::InvalidData,
        _ => false,
    }
}

/// Whether a prepared statement has gone stale: a table changed under it, or the server has forgotten it.
pub fn is_stale_statement(error: &sqlx::Error) -> bool {
    database_error(error).is_some_and(|database| match database.code() {
        UNKNOWN_STATEMENT => true,
        FEATURE_NOT_SUPPORTED => database.routine() == Some("RevalidateCachedQuery"),
        _ => false,
    })
}

/// Whether the server could not even read the statement.
pub fn is_syntax_error(error: &sqlx::Error) -> bool {
    database_error(error).is_some_and(|database| database.code() == SYNTAX_ERROR)
}

fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error().and_then(|database| database.try_downcast_ref())
}

fn db_error(error: &PgDatabaseError) -> DbError {
    let severity = severity_name(error.severity());
    let mut as_text = format!("{severity}: {} (SQLSTATE {})", error.message(), error.code());
    if let Some(constraint) = error.constraint() {
        as_text.push_str(&format!(", constraint {constraint}"));
    }
    DbError {
        as_text,
        severity: severity.to_owned(),
        code: error.code().to_owned(),
        message: error.message().to_owned(),
        detail: error.detail().map(str::to_owned),
        extras: extras(error),
    }
}

/// Everything else the server said, under the names that Spin uses.
fn extras(error: &PgDatabaseError) -> Vec<(String, String)> {
    let line = error.line().map(|line| line.to_string());
    let fields = [
        ("column", error.column()),
        ("constraint", error.constraint()),
        ("routine", error.routine()),
        ("hint", error.hint()),
        ("table", error.table()),
        ("datatype", error.data_type()),
        ("schema", error.schema()),
        ("file", error.file()),
        ("line", line.as_deref()),
        ("where_", error.r#where()),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

fn severity_name(severity: PgSeverity) -> &'static str {
    match severity {
        PgSeverity::Panic => "PANIC",
        PgSeverity::Fatal => "FATAL",
        PgSeverity::Error => "ERROR",
        PgSeverity::Warning => "WARNING",
        PgSeverity::Notice => "NOTICE",
        PgSeverity::Debug => "DEBUG",
        PgSeverity::Info => "INFO",
        PgSeverity::Log => "LOG",
    }
}
