//! What a statement does to its connection, told from its words.
//!
//! The extended protocol carries one statement at a time, so its leading keyword decides about transactions. Words
//! inside comments, strings and quoted names do not count. What a function does behind its name cannot be seen:
//! a `SELECT` of a function that writes counts as reading, and one that changes a setting goes unnoticed.

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
    let mut words = Words { rest: sql };
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

/// The words of a statement, without comments, strings, quoted names, numbers and punctuation.
#[derive(Clone)]
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = *self.rest.as_bytes().first()?;
            match first {
                b'-' if self.rest.starts_with("--") => self.skip_line(),
                b'/' if self.rest.starts_with("/*") => self.skip_comment(),
                b'\'' => self.skip_quoted(b'\'', false),
                b'"' => self.skip_quoted(b'"', false),
                b'$' => self.skip_dollar(),
                b'0'..=b'9' => {
                    let _number = self.take_word();
                }
                b'e' | b'E' if self.rest.as_bytes().get(1) == Some(&b'\'') => {
                    self.skip_bytes(1);
                    self.skip_quoted(b'\'', true);
                }
                byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                    return Some(self.take_word());
                }
                _ => self.skip_bytes(1),
            }
        }
    }
}

impl<'a> Words<'a> {
    fn skip_bytes(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or("");
    }

    fn take_word(&mut self) -> &'a str {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$' || *byte >= 0x80;
        let length = self.rest.bytes().position(|byte| !is_part(&byte)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn skip_line(&mut self) {
        self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
    }

    /// Skips a block comment; they nest.
    fn skip_comment(&mut self) {
        let bytes = self.rest.as_bytes();
        let (mut index, mut depth) = (2, 1_usize);
        while depth > 0 {
            match (bytes.get(index), bytes.get(index + 1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    index += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    index += 2;
                }
                (Some(_), _) => index += 1,
                (None, _) => break,
            }
        }
        self.rest = self.rest.get(index..).unwrap_or("");
    }

    fn skip_quoted(&mut self, quote: u8, backslash_escapes: bool) {
        let bytes = self.rest.as_bytes();
        let mut index = 1;
        while let Some(byte) = bytes.get(index) {
            if *byte == b'\\' && backslash_escapes {
                index += 2;
            } else if *byte != quote {
                index += 1;
            } else if bytes.get(index + 1) == Some(&quote) {
                index += 2;
            } else {
                break;
            }
        }
        self.rest = self.rest.get(index + 1..).unwrap_or("");
    }

    /// Skips `$tag$ … $tag$`, or the `$` of a parameter.
    fn skip_dollar(&mut self) {
        let body = self.rest.get(1..).unwrap_or("");
        let end = body.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80));
        let tag = match end {
            Some(end) if body.as_bytes().get(end) == Some(&b'$') && !body.starts_with(|c: char| c.is_ascii_digit()) => {
                self.rest.get(..end + 2).unwrap_or("$")
            }
            _ => return self.skip_bytes(1),
        };
        let after = self.rest.get(tag.len()..).unwrap_or("");
        self.rest = after.split_once(tag).map_or("", |(_, rest)| rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_told_by_the_leading_keyword() {
        let effect = |sql: &str| classify(sql).transaction;
        assert_eq!(effect("  begin isolation level serializable"), TransactionEffect::Opens);
        assert_eq!(effect("/* a /* b */ c */ -- x\n START TRANSACTION"), TransactionEffect::Opens);
        assert_eq!(effect("COMMIT"), TransactionEffect::Commits);
        assert_eq!(effect("end;"), TransactionEffect::Commits);
        assert_eq!(effect("commit and chain"), TransactionEffect::Continues);
        assert_eq!(effect("commit and no chain"), TransactionEffect::Commits);
        assert_eq!(effect("rollback"), TransactionEffect::RollsBack);
        assert_eq!(effect("ROLLBACK WORK TO SAVEPOINT a"), TransactionEffect::None);
        assert_eq!(effect("rollback prepared 'x'"), TransactionEffect::None);
        assert_eq!(effect("prepare transaction 'x'"), TransactionEffect::Commits);
        assert_eq!(effect("select 'begin'"), TransactionEffect::None);
        assert_eq!(effect("savepoint a"), TransactionEffect::None);
    }

    #[test]
    fn statements_that_change_the_session_are_seen() {
        for sql in [
            "SET search_path = x",
            "listen a",
            "PREPARE p AS SELECT 1",
            "create temp table t (a int)",
            "CREATE LOCAL TEMPORARY TABLE t (a int)",
            "declare c cursor for select 1",
            "select pg_advisory_lock(1)",
            "select a into temp t from b",
            "discard all",
            "select set_config('a.b', '1', false)",
            "reset role",
        ] {
            assert!(classify(sql).changes_session, "{sql}");
        }
        for sql in [
            "set local statement_timeout = 5",
            "SET TRANSACTION READ ONLY",
            "select pg_advisory_xact_lock(1)",
            "select 'pg_advisory_lock'",
            "select \"temp\" from t",
            "insert into t values ($1)",
            "update t set a = 1",
        ] {
            assert!(!classify(sql).changes_session, "{sql}");
        }
    }

    #[test]
    fn writes_are_seen_also_inside_a_with() {
        for sql in [
            "insert into t values (1)",
            "with a as (update t set b = 1 returning *) select * from a",
            "call p()",
            "truncate t",
            "commit",
            "select 1 into t",
            "copy t from stdin",
            "do $$ begin end $$",
        ] {
            assert!(classify(sql).writes, "{sql}");
        }
        for sql in [
            "select 1",
            "with a as (select 1) select * from a",
            "select * from t for update",
            "select * from t for no key update",
            "show all",
            "begin",
            "rollback",
            "select 'insert'",
            "values (1)",
            "select $tag$ delete $tag$, $1, E'a\\' update '",
            "select updated, \"delete\" from t -- insert",
        ] {
            assert!(!classify(sql).writes, "{sql}");
        }
    }

    #[test]
    fn unfinished_text_does_not_hang() {
        for sql in ["", "'", "\"", "/*", "$a$", "--", "$", "e'\\", "é", "select '…"] {
            classify(sql);
        }
    }
}
