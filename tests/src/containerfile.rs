//! The file that the image is built by.

use std::fs;

use crate::setup::workspace;

/// Its instructions of this name, each as a whole and without the name.
pub fn instructions(name: &str) -> Vec<String> {
    let text = fs::read_to_string(workspace().join("deploy/Containerfile")).expect("deploy/Containerfile");
    let text = text.replace("\\\n", " ");
    let lines = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
