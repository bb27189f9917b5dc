use crate::database::DatabaseError;

/// What keeps the events from running.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The outbox is not there, or not as the relay needs it.
    #[error(
        "component `{component}`: its outbox table `{table}` {fault}; its migrations must make it with the columns id uuid, seq bigint \
         (identity), topic, key, type, data jsonb, traceparent, created_at and published_at"
    )]
    Table {
        /// The component.
        component: String,
        /// The table.
        table: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Something stands twice.
    #[error("{what} given twice: {name}")]
    Twice {
        /// What.
        what: &'static str,
        /// Whose.
        name: String,
    },
    /// The settings for Kafka do not fit together, or a file that they name cannot be read.
    #[error("Kafka cannot be used as --kafka and the settings beside it say: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// The component's database does not answer.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
