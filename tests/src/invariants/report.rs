use std::{collections::BTreeMap, fmt, time::Duration};

use super::{
    letters::Letters,
    rule::{EVENTS, RULES, Rule},
};

/// What is named of all that breaks one rule.
const NAMED: usize = 10;

/// What was found about one rule.
#[derive(Default)]
pub struct Finding {
    /// What breaks it; the same thing may have been found twice.
    pub broken: Vec<String>,
    figure: String,
}

/// What was found about every rule that was asked.
#[derive(Default)]
pub struct Report {
    findings: BTreeMap<i32, Finding>,
    under_way: Option<(Duration, Vec<String>)>,
}

impl Report {
    pub(super) fn add(&mut self, rule: &Rule, broken: Vec<String>) {
        let finding = self.findings.entry(rule.number).or_default();
        for what in broken {
            if !finding.broken.contains(&what) {
                finding.broken.push(what);
            }
        }
    }

    /// Notes that the shop was not at rest after so long.
    pub(super) fn not_at_rest(&mut self, patience: Duration, under_way: Vec<String>) {
        // What never ends is a broken promise of the events; a shop that is merely busy breaks none.
        self.findings.entry(EVENTS).or_default().broken.extend(under_way.iter().cloned());
        self.under_way = Some((patience, under_way));
    }

    pub(super) fn figures(&mut self, figures: Vec<(i32, String)>) {
        for (number, figure) in figures {
            if let Some(finding) = self.findings.get_mut(&number) {
                finding.figure = figure;
            }
        }
    }

    /// Adds the dead letters that lie on brokers to what breaks the rule of the events.
    pub(super) fn letters(&mut self, letters: Letters) {
        let finding = self.findings.entry(EVENTS).or_default();
        finding.broken.extend(letters.rejected);
        finding.figure.push_str(&format!(", dead letters looked for on {} topics", letters.topics));
    }

    /// Says more of what a rule looked at.
    pub(super) fn remark(&mut self, rule: i32, words: &str) {
        self.findings.entry(rule).or_default().figure.push_str(words);
    }

    /// What was found about the rule with this number; nothing where it was not asked.
    pub fn finding(&self, number: i32) -> Option<&Finding> {
        self.findings.get(&number)
    }

    /// Whether something was still under way at the end, so that some rules were not asked.
    pub fn is_unsettled(&self) -> bool {
        self.under_way.is_some()
    }

    /// Whether any rule is broken.
    pub fn is_broken(&self) -> bool {
        self.findings.values().any(|finding| !finding.broken.is_empty())
    }

    /// Whether every rule was asked, and none is broken.
    pub fn holds(&self) -> bool {
        self.findings.len() == RULES.len() && !self.is_broken() && !self.is_unsettled()
    }
}

/// A line for each rule.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((patience, under_way)) = &self.under_way {
            let seconds = patience.as_secs();
            match under_way.is_empty() {
                true => {
                    writeln!(f, "The shop is busy: for {seconds} s it was never at rest. Ask again without customers.")?
                }
                false => writeln!(f, "The shop did not come to rest within {seconds} s: {}", named(under_way))?,
            }
        }
        for rule in RULES {
            write!(f, "{}  {:<44}", rule.number, rule.words)?;
            match self.finding(rule.number) {
                None => writeln!(f, "not asked")?,
                Some(finding) if finding.broken.is_empty() => writeln!(f, "holds   {}", finding.figure)?,
                Some(finding) => writeln!(f, "BROKEN  {}", named(&finding.broken))?,
            }
        }
        Ok(())
    }
}

/// The first few, and how many more there are.
fn named(all: &[String]) -> String {
    let some: Vec<&str> = all.iter().take(NAMED).map(String::as_str).collect();
    match all.len().saturating_sub(NAMED) {
        0 => some.join("; "),
        more => format!("{}; and {more} more", some.join("; ")),
    }
}
