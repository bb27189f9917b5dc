//! Whether topics tell what the outboxes say: everything, nothing else, and each key in its order.

use std::collections::{BTreeMap, BTreeSet};

use crate::{invariants::Ledger, kafka};

/// What stands on a topic.
pub struct Told {
    /// Its name.
    pub topic: String,
    /// Different events.
    pub distinct: usize,
    /// Messages beyond those, as a crash between publishing and marking leaves them.
    pub copies: usize,
    /// Different keys.
    pub keys: usize,
}

/// Compares the topics of all outboxes with these. Fails the test where they differ.
pub async fn compare(ledger: &mut Ledger, brokers: &str) -> Vec<Told> {
    let rows = ledger.rows("SELECT topic, key, id::text FROM event ORDER BY publisher, seq").await;
    let mut written: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (topic, key, id) in rows.unwrap_or_else(|error| panic!("{error}")) {
        written.entry(topic).or_default().entry(key).or_default().push(id);
    }
    let mut all = Vec::new();
    for (topic, written) in written {
        let (mut seen, mut copies) = (BTreeSet::new(), 0);
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for record in kafka::all_of(brokers, &topic).await {
            let id = record.headers["ce_id"].clone();
            // What was published again counts where it stands first.
            match seen.insert(id.clone()) {
                true => told.entry(record.key).or_default().push(id),
                false => copies += 1,
            }
        }
        for (key, ids) in &written {
            assert_eq!(told.get(key), Some(ids), "the events of {key} on {topic}");
        }
        assert_eq!(told.len(), written.len(), "keys on {topic} that no outbox knows");
        all.push(Told { topic, distinct: seen.len(), copies, keys: told.len() });
    }
    all
}
