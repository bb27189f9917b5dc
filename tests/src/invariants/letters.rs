use std::collections::BTreeSet;

use super::Ledger;
use crate::{databases::Unreachable, kafka};

/// How the topics of dead letters end: `<topic>.<component>.dlq`.
const SUFFIX: &str = ".dlq";

/// The dead letters on some brokers.
pub(super) struct Letters {
    /// Topics that were looked at.
    pub topics: usize,
    /// What was rejected and has not been taken since, and where it lies.
    pub rejected: Vec<String>,
}

/// Reads every topic of dead letters that there is, and leaves out what the books say was replayed and taken.
pub(super) async fn on(brokers: &str, ledger: &mut Ledger) -> Result<Letters, Unreachable> {
    let taken = ledger.rows("SELECT topic, partition, position, at_ms FROM taken_letters").await?;
    let taken: BTreeSet<(String, i64, i64, i64)> = taken.into_iter().collect();
    let topics: Vec<String> =
        kafka::topics(brokers).await?.into_iter().filter(|topic| topic.ends_with(SUFFIX)).collect();
    let mut rejected = Vec::new();
    for topic in &topics {
        for letter in kafka::all_of(brokers, topic).await {
            if taken.contains(&(topic.clone(), letter.partition.into(), letter.offset, letter.at_ms)) {
                continue;
            }
            let event = letter.headers.get("ce_id").map_or("without an id", String::as_str);
            rejected.push(format!("event {event} lies on {topic} at {}/{}", letter.partition, letter.offset));
        }
    }
    Ok(Letters { topics: topics.len(), rejected })
}
