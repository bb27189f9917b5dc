//! Why a question has no answer.

/// Why a question has no answer; the words are for a log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There was no connection: nobody has heard the question.
    #[error("cannot be reached: {0}")]
    Unreached(String),
    /// It was sent, and there is no answer: it may have had its effect or not.
    #[error("did not answer: {0}")]
    Silent(String),
    /// It was refused for now, or failed on the way.
    #[error("answered {0}")]
    Failed(u16),
    /// It was refused, and would be again: the address or the service token is wrong, or the other side another version.
    #[error("refused the question with {0}; is it the right address, and the right service_token?")]
    Refused(u16),
    /// The answer is none.
    #[error("gave an answer that cannot be read: {0}")]
    Unreadable(String),
    /// Too many questions before had no answer, so this one was not sent.
    #[error("has not answered for a while and is left alone for a moment")]
    LeftAlone,
    /// A variable is missing or wrong.
    #[error("cannot be asked: {0}")]
    Unset(String),
}

impl Failure {
    /// What a status other than 200 means.
    pub fn of_status(status: u16) -> Self {
        match status {
            // Too slow, too many, or something between here and there.
            408 | 425 | 429 | 500.. => Self::Failed(status),
            _ => Self::Refused(status),
        }
    }

    /// Whether it says that the other side is not well, as against one that answers something else than was hoped for.
    pub fn is_ill_health(&self) -> bool {
        matches!(self, Self::Unreached(_) | Self::Silent(_) | Self::Failed(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_passes_or_stays() {
        for passing in [408, 429, 500, 502, 503, 504] {
            assert!(Failure::of_status(passing).is_ill_health(), "{passing}");
        }
        for staying in [204, 301, 400, 401, 404, 413, 422] {
            assert_eq!(Failure::of_status(staying), Failure::Refused(staying));
            assert!(!Failure::of_status(staying).is_ill_health(), "{staying}");
        }
    }
}
