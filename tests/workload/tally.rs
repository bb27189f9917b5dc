//! What happened, and how often.

use std::{collections::BTreeMap, fmt, io::Write, sync::Mutex};

/// Counts by name.
#[derive(Default)]
pub struct Tally(Mutex<BTreeMap<String, usize>>);

impl Tally {
    pub fn note(&self, what: impl Into<String>) {
        self.add(what, 1);
    }

    pub fn add(&self, what: impl Into<String>, count: usize) {
        *self.0.lock().unwrap().entry(what.into()).or_default() += count;
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.lock().unwrap().get(what).copied().unwrap_or_default()
    }

    /// How often all of this kind happened together.
    pub fn sum_of(&self, prefix: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(name, _)| name.starts_with(prefix)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.0.lock().unwrap().iter() {
            writeln!(f, "{count:>6}  {what}")?;
        }
        Ok(())
    }
}

/// Tells it even when the test passes: what `println!` prints, the test runner keeps to itself then.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
