//! Documents as files that are committed beside the code.

use serde_json::Value;

/// A document as it stands in its file.
pub fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// Compares a document with the committed file; with `UPDATE_GOLDEN=1` in the environment, writes it instead.
pub fn compare(path: &str, document: &str) -> Result<(), String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        return std::fs::write(path, document).map_err(|error| format!("{path}: {error}"));
    }
    let committed = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    if committed == document {
        return Ok(());
    }
    Err(format!("{path} no longer says what the code does; run `UPDATE_GOLDEN=1 cargo test` and commit it"))
}
