//! Errors and how they read.

use crate::manifest::Fault;

/// All faults of a manifest as one error, a paragraph each.
pub fn faults(faults: Vec<Fault>) -> anyhow::Error {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    anyhow::anyhow!("the application cannot run:\n{}", lines.join("\n"))
}
