//! The README, which shows nothing that no test has run.

use crate::workspace;

/// Its text.
pub fn readme() -> String {
    std::fs::read_to_string(workspace().join("README.md")).expect("the README")
}

/// What its first fenced block in a language shows that contains this mark.
#[track_caller]
pub fn block<'a>(readme: &'a str, language: &str, mark: &str) -> &'a str {
    let fence = format!("```{language}\n");
    let blocks = readme.split(fence.as_str()).skip(1).filter_map(|rest| rest.split("```").next());
    let found = blocks.into_iter().find(|block| block.contains(mark));
    found.unwrap_or_else(|| panic!("the README shows no {language} with {mark:?}"))
}
