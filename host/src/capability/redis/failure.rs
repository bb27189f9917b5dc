//! Why a command does not do what it was asked for, in the words of each interface. None carries a password.

use redis::ServerError;

use super::bindings::{v2::fermyon::spin::redis as v2, v3::spin::redis::redis as v3};
use crate::redis_connection::{RedisFault, told};

/// What a server says of a value that it cannot count with, after the code `ERR`.
const NO_INTEGER: &str = "value is not an integer";

/// Why a command does not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The address is none.
    InvalidAddress,
    /// The instance holds too many handles.
    TooManyConnections,
    /// What is there is of another type.
    WrongType,
    /// Anything else, in words.
    Other(String),
}

impl From<&ServerError> for Failure {
    fn from(error: &ServerError) -> Self {
        let no_integer = error.details().is_some_and(|details| details.starts_with(NO_INTEGER));
        match error.code() {
            "WRONGTYPE" => Self::WrongType,
            "ERR" if no_integer => Self::WrongType,
            _ => Self::Other(told(error)),
        }
    }
}

impl From<RedisFault> for Failure {
    fn from(fault: RedisFault) -> Self {
        match fault {
            RedisFault::TooLarge(most) => Self::Other(format!(
                "Redis answered with more than {most} bytes; ask for less at once, or raise limits.query_bytes"
            )),
            fault @ RedisFault::TooMany => Self::Other(format!("{fault}; ask for less at once")),
            fault => Self::Other(fault.to_string()),
        }
    }
}

impl From<Failure> for v2::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidAddress => Self::InvalidAddress,
            Failure::TooManyConnections => Self::TooManyConnections,
            Failure::WrongType => Self::TypeError,
            Failure::Other(message) => Self::Other(message),
        }
    }
}

impl From<Failure> for v3::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::InvalidAddress => Self::InvalidAddress,
            Failure::TooManyConnections => Self::TooManyConnections,
            Failure::WrongType => Self::TypeError,
            Failure::Other(message) => Self::Other(message),
        }
    }
}
