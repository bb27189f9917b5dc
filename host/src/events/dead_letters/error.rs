/// Why dead letters cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum DeadLettersError {
    /// The host's own database does not answer.
    #[error("the database does not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// What keeps them does not answer.
    #[error("Kafka does not answer: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// It did not answer in time.
    #[error("Kafka did not answer in time")]
    Late,
    /// The host stops, or has a fault.
    #[error("looking for them was interrupted")]
    Interrupted,
}
