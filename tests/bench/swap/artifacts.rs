//! The files that are deployed.

use std::path::Path;

use plaza_tests::artifact::stamped;
use tempfile::TempPath;

/// Each so-manieth swap is of bytes that this host has never compiled.
const NEW_EVERY: usize = 10;

/// Those of one service. They are written before anybody asks for anything: whoever deploys has built before.
pub struct Artifacts {
    /// The component's id.
    pub service: &'static str,
    files: Vec<TempPath>,
}

impl Artifacts {
    /// For so many swaps.
    pub fn of(service: &'static str, swaps: usize) -> Self {
        let stamp = |number: usize| format!("{number} of {}", std::process::id());
        let files = (0..swaps.max(1)).step_by(NEW_EVERY).map(|number| stamped(service, &stamp(number)));
        Self { service, files: files.collect() }
    }

    /// What is deployed by the swap of this number, and whether its bytes are new.
    pub fn at(&self, number: usize) -> (&Path, bool) {
        match number.is_multiple_of(NEW_EVERY) {
            true => (&self.files[number / NEW_EVERY], true),
            false => (self.known(), false),
        }
    }

    /// What the first swap deploys.
    pub fn known(&self) -> &Path {
        &self.files[0]
    }
}
