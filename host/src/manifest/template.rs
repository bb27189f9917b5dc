//! Text with `{{ variable }}` in it.

/// A value of the manifest that may name variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);
