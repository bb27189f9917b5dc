//! What the fuzzer asked, and what it was answered.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use serde_json::Value;

/// The statuses of every answer, by operation.
pub struct Report {
    statuses: BTreeMap<String, Vec<u64>>,
}

impl Report {
    /// Reads the events that Schemathesis wrote, one a line.
    pub fn read(path: &Path) -> Self {
        let file = BufReader::new(File::open(path).expect("Schemathesis writes its report"));
        let mut statuses: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for line in file.lines() {
            let event: Value = serde_json::from_str(&line.expect("a line of text")).expect("JSON");
            let recorder = &event["ScenarioFinished"]["recorder"];
            for (id, case) in recorder["cases"].as_object().into_iter().flatten() {
                let case = &case["value"];
                let operation = format!("{} {}", text(&case["method"]), text(&case["path"]));
                let status = recorder["interactions"][id]["response"]["status_code"].as_u64();
                statuses.entry(operation).or_default().extend(status);
            }
        }
        assert!(!statuses.is_empty(), "nothing was asked");
        Self { statuses }
    }

    /// How an operation answered, each time it was asked.
    pub fn statuses(&self, operation: &str) -> &[u64] {
        self.statuses.get(operation).map_or(&[], Vec::as_slice)
    }

    /// Which of these operations never did what they are there for.
    pub fn missing<'a>(&self, wanted: &[&'a str]) -> Vec<&'a str> {
        let done = |operation: &&&str| self.statuses(operation).iter().any(|status| *status < 300);
        wanted.iter().filter(|operation| !done(operation)).copied().collect()
    }

    /// How often each of these operations was answered in which way.
    pub fn counted(&self, operations: &[&str]) -> String {
        let line = |operation: &&str| {
            let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
            self.statuses(operation).iter().for_each(|status| *counts.entry(*status).or_default() += 1);
            format!("{operation}: {counts:?}\n")
        };
        operations.iter().map(line).collect()
    }

    /// Adds what another run was answered.
    pub fn extend(&mut self, other: Self) {
        for (operation, statuses) in other.statuses {
            self.statuses.entry(operation).or_default().extend(statuses);
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
