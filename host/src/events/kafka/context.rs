use std::sync::{Mutex, PoisonError};

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode},
};

/// What a client tells of itself. A broker that is away makes every client say so again and again; the log hears of it once, from
/// the [watch](super::watch), and of the rest when it asks for details.
#[derive(Default)]
pub(super) struct Context {
    complaints: Complaints,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn stats(&self, _: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.complaints.hear(&error, reason);
    }
}

impl ConsumerContext for Context {}

/// The last thing that was wrong, so that the log is not told the same every second.
#[derive(Default)]
pub(super) struct Complaints(Mutex<Option<RDKafkaErrorCode>>);

impl Complaints {
    /// Tells what an operator has to mend, once; that a broker is not there mends itself.
    pub(super) fn hear(&self, error: &KafkaError, reason: &str) {
        let code = error.rdkafka_error_code();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if passes(error) || *last == code {
            tracing::debug!(%error, reason, "kafka");
        } else {
            *last = code;
            tracing::warn!(%error, reason, "Kafka refuses");
        }
    }
}

/// Whether an error goes away by itself, when the brokers are there.
pub(super) fn passes(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        None | Some(Code::AllBrokersDown | Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut)
    )
}

/// Passes a line of the library on.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    tracing::debug!(?level, facility, message, "kafka");
}
