//! Ports that failed for reasons that no rule knows: the database is away, a neighbour does not answer.

use thiserror::Error;

use crate::Problem;

/// Seconds after which a client may ask again when a failure may pass.
const RETRY_AFTER_S: u32 = 1;

/// Why a port could not do its work. The cause is for the log, never for the client.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{cause}")]
pub struct Failure {
    /// What happened.
    pub cause: String,
    /// Whether the same may work later.
    pub temporary: bool,
}

impl Failure {
    /// A failure that may pass.
    pub fn temporary(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), temporary: true }
    }

    /// A fault of this program or of its settings.
    pub fn lasting(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), temporary: false }
    }
}

impl From<Failure> for Problem {
    /// 503 where it may pass, else 500. The cause goes to the log only.
    fn from(failure: Failure) -> Self {
        eprintln!("error: {failure}");
        if failure.temporary {
            return Problem::unavailable(
                "A part of the shop does not answer just now. Please try again.",
                RETRY_AFTER_S,
            );
        }
        Problem::internal()
    }
}

/// Somebody who was asked cannot answer now; the text is for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{who} cannot answer now: {why}")]
pub struct Unavailable {
    /// Who was asked: `users`, `provider`.
    pub who: &'static str,
    /// Why there is no answer.
    pub why: String,
}

impl From<Unavailable> for Problem {
    /// 503. Who does not answer may be known; why goes to the log only.
    fn from(unavailable: Unavailable) -> Self {
        eprintln!("warning: {unavailable}");
        let detail = format!("The {} cannot be asked just now. Please repeat the request as it is.", unavailable.who);
        Problem::unavailable(detail, RETRY_AFTER_S)
    }
}
