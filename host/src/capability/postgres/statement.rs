//! What a statement does to its connection, told from its words.
//!
//! The extended protocol carries one statement at a time, so its leading keyword decides about transactions. Words
//! inside comments, strings and quoted names do not count. What a function does behind its name cannot be seen:
//! a `SELECT` of a function that writes counts as reading, and one that changes a setting goes unnoticed.

mod words;

#[cfg(test)]
mod tests;

use words::Words;

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// What it does to the transaction.
    pub transaction: TransactionEffect,
    /// It leaves something behind on its connection, which must then not serve anybody else.
    pub changes_session: bool,
    /// It may have changed data.
    pub writes: bool,
    /// It closes prepared statements behind sqlx's back.
    pub forgets_prepared: bool,
}

/// What a statement does to the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEffect {
    /// Nothing.
    None,
    /// Opens one.
    Opens,
    /// Ends one and keeps what it did.
    Commits,
    /// Ends one and undoes it.
    RollsBack,
    /// Ends one and opens the next at once (`AND CHAIN`).
    Continues,
}

/// Functions and schemas whose mention means that the session changes.
const SESSION_WORDS: [&str; 7] = [
    "pg_advisory_lock",
    "pg_advisory_lock_shared",
    "pg_try_advisory_lock",
    "pg_try_advisory_lock_shared",
    "set_config",
    "pg_temp",
    "lo_open",
];

/// Reads `sql`.
pub fn classify(sql: &str) -> Statement {
    let mut words = Words::of(sql);
    let first = words.next().unwrap_or("");
    let second = words.clone().next().unwrap_or("");
    let is = |word: &str| first.eq_ignore_ascii_case(word);
    let then = |word: &str| second.eq_ignore_ascii_case(word);
    Statement {
        transaction: transaction_effect(&is, &then, words.clone()),
        changes_session: changes_session(&is, &then, words.clone()),
        writes: writes(&is, words),
        forgets_prepared: is("deallocate") || is("discard"),
    }
}

fn transaction_effect(is: &dyn Fn(&str) -> bool, then: &dyn Fn(&str) -> bool, words: Words<'_>) -> TransactionEffect {
    if is("begin") || (is("start") && then("transaction")) {
        return TransactionEffect::Opens;
    }
    if is("prepare") && then("transaction") {
        return TransactionEffect::Commits;
    }
    let commits = is("commit") || is("end");
    let rolls_back = is("rollback") || is("abort");
    if !commits && !rolls_back || then("prepared") || words.clone().any(|word| word.eq_ignore_ascii_case("to")) {
        return TransactionEffect::None;
    }
    let mut chains = false;
    for word in words {
        if word.eq_ignore_ascii_case("no") {
            break;
        }
        chains |= word.eq_ignore_ascii_case("chain");
    }
    match (chains, commits) {
        (true, _) => TransactionEffect::Continues,
        (false, true) => TransactionEffect::Commits,
        (false, false) => TransactionEffect::RollsBack,
    }
}

fn changes_session(is: &dyn Fn(&str) -> bool, then: &dyn Fn(&str) -> bool, mut words: Words<'_>) -> bool {
    if is("set") {
        return !(then("local") || then("transaction") || then("constraints"));
    }
    let always = ["reset", "listen", "unlisten", "execute", "deallocate", "discard", "declare", "load"];
    if always.iter().any(|word| is(word)) || (is("prepare") && !then("transaction")) {
        return true;
    }
    let makes = is("create") || is("select") || is("with");
    words.any(|word| {
        SESSION_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
            || makes && (word.eq_ignore_ascii_case("temp") || word.eq_ignore_ascii_case("temporary"))
    })
}

fn writes(is: &dyn Fn(&str) -> bool, mut words: Words<'_>) -> bool {
    let never = [
        "show",
        "begin",
        "start",
        "savepoint",
        "release",
        "rollback",
        "abort",
        "set",
        "reset",
        "declare",
        "fetch",
        "move",
        "close",
        "listen",
        "unlisten",
        "deallocate",
        "discard",
        "values",
        "table",
        "lock",
        "checkpoint",
    ];
    if never.iter().any(|word| is(word)) {
        return false;
    }
    if is("select") || is("with") || is("explain") {
        let changing = ["insert", "update", "delete", "merge", "into"];
        let mut previous = "";
        return words.any(|word| {
            // `FOR UPDATE` and `FOR NO KEY UPDATE` only lock.
            let locks = previous.eq_ignore_ascii_case("for") || previous.eq_ignore_ascii_case("key");
            previous = word;
            !locks && changing.iter().any(|known| word.eq_ignore_ascii_case(known))
        });
    }
    true
}
