//! What no log may hold: passwords, tokens, card numbers, addresses of e-mail. The log of every host that the tests start is looked
//! through for it, line by line as it comes: hosts that the tests of a file share are never seen to end.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use crate::shop::PASSWORD;

/// Words in the names of variables that hold secrets.
const SECRET_NAMES: [&str; 4] = ["password", "secret", "token", "_key"];

/// A shorter value may stand in a log by chance.
const SECRET_LEAST: usize = 8;

/// How the letters begin that only a secret begins with: a signed token, a hashed password, a token of a payment provider.
const BEGINNINGS: [&str; 5] = ["eyJ", "$argon2", "tok_", "sk_test_", "whsec_"];

/// What one host's log is looked through for.
#[derive(Default)]
pub struct Secrets {
    known: Mutex<Vec<String>>,
}

impl Secrets {
    /// Everything secret among these settings, `name=value` each, and what customers of the tests have.
    pub fn among<'a>(settings: impl Iterator<Item = &'a str>) -> Self {
        let secrets = Self::default();
        secrets.add(PASSWORD);
        for (name, value) in settings.filter_map(|setting| setting.split_once('=')) {
            let name = name.to_lowercase();
            let is_secret = SECRET_NAMES.iter().any(|word| name.contains(word));
            if is_secret && !name.ends_with("_public") && !name.ends_with("_file") {
                secrets.add(value);
            }
        }
        secrets
    }

    /// One more.
    pub fn add(&self, secret: &str) {
        if secret.len() >= SECRET_LEAST {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
        }
    }

    /// What of all that a line of the log holds.
    pub fn in_line(&self, line: &str) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.iter().find(|secret| line.contains(secret.as_str())).cloned();
        known.or_else(|| words(line).find(|word| is_secret(word)).map(str::to_owned)).or_else(|| card(line))
    }

    /// Ends this process when a line holds a secret: there may be no test any more that could fail for it.
    pub fn look_through(&self, line: &str) {
        if let Some(secret) = self.in_line(line) {
            // Not by a macro, whose output the tests catch and, with the process, lose.
            let _ = writeln!(std::io::stderr(), "\nthe log of a host holds {secret:?}, which it must not: {line}");
            std::process::exit(101);
        }
    }
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    let is_outside = |letter: char| !(letter.is_ascii_alphanumeric() || "@$.:/_+-".contains(letter));
    line.split(is_outside)
}

fn is_secret(word: &str) -> bool {
    is_email(word) || BEGINNINGS.iter().any(|start| word.starts_with(start) && word.len() > start.len())
}

/// `ada@example.com`, but neither `echo@1.0.0` nor the user in a server's address.
fn is_email(word: &str) -> bool {
    let Some((name, domain)) = word.split_once('@') else { return false };
    let top = domain.trim_end_matches(['.', ':']).rsplit_once('.').map(|(_, top)| top).unwrap_or_default();
    !name.is_empty()
        && !word.contains("://")
        && top.len() >= 2
        && top.chars().all(|letter| letter.is_ascii_alphabetic())
}

/// Something like the number of a card: 13 to 19 digits, together or in groups of four, that pass the Luhn check and begin as one.
fn card(line: &str) -> Option<String> {
    let is_outside = |letter: char| {
        !letter.is_ascii_alphanumeric() && letter != '-' && letter != ' ' && letter != '_' && letter != '.'
    };
    line.split(is_outside).flat_map(candidates).find(|digits| is_card(digits))
}

/// Numbers that stand alone in a text, and those whose groups of four follow one another.
fn candidates(text: &str) -> Vec<String> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split(['-', ' ', '_', '.']).collect();
    let alone = parts.iter().filter(|part| is_number(part)).map(|part| (*part).to_owned());
    let grouped = parts.windows(4).filter(|four| four.iter().all(|part| is_number(part) && part.len() == 4));
    alone.chain(grouped.map(<[&str]>::concat)).collect()
}

fn is_card(digits: &str) -> bool {
    let begins = digits.starts_with(['3', '4', '5', '6']);
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (u32::from(digit - b'0'), place % 2) {
            (digit, 0) => digit,
            (digit, _) if digit > 4 => 2 * digit - 9,
            (digit, _) => 2 * digit,
        })
        .sum();
    begins && (13..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::among(
            ["token_key_public=of everybody", "SPIN_VARIABLE_ADMIN_PASSWORD=the first one", "colour=bluegreen"]
                .into_iter(),
        )
    }

    #[test]
    fn secrets_are_found_in_a_line_wherever_they_stand() {
        for line in [
            r#"{"message":"ada.l+x@example.com asks"}"#,
            "who=<ada@shop.example.com>",
            "it is correct horse battery",
            "log in with the first one!",
            "authorization: Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln",
            "hash=$argon2id$v=19$m=19456",
            "token=tok_ok",
            "card 5105105105105100",
            "card 5105 1051 0510 5100.",
            "card:\"5105-1051-0510-5100\"",
        ] {
            assert!(secrets().in_line(line).is_some(), "{line}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for line in [
            "test:echo/echo@1.0.0 of shop:users/directory@1.0.0",
            "postgres://plaza@db.example.com:5432/postgres?sslmode=require",
            "of everybody, in bluegreen",
            "5105105105105101 at 2026-11-24 14:28:59.123456 for 01890a5d-ac96-774b-bcce-b302099a8057",
            "id 019a5105105105105100ab, tok, eyJ",
            "at 1763994539123456 us",
        ] {
            assert_eq!(secrets().in_line(line), None, "{line}");
        }
    }
}
