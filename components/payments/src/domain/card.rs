//! Keeps card numbers out: the shop takes a provider's tokens and never sees a card.

/// The shortest and longest card numbers (ISO/IEC 7812-1).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// What people put between the groups of digits, and how much of it.
const SEPARATORS: [char; 5] = [' ', '-', '.', '\t', '\u{a0}'];
const GAP_MAX: usize = 3;

/// Whether a text holds something like a card number: 13 to 19 digits that pass the Luhn check, in one group or in several that are parted
/// by spaces, hyphens or points, whatever other groups stand beside them.
pub fn holds_a_card_number(text: &str) -> bool {
    let mut run = Run::default();
    let mut gap = 0;
    for character in text.chars().chain(std::iter::once('\n')) {
        match character.to_digit(10) {
            Some(digit) => {
                run.push(digit, gap > 0);
                gap = 0;
            }
            None if gap < GAP_MAX && SEPARATORS.contains(&character) => gap += 1,
            None => {
                if run.holds_a_card_number() {
                    return true;
                }
                run = Run::default();
                gap = 0;
            }
        }
    }
    false
}

/// Digits with nothing but separators between them.
#[derive(Default)]
struct Run {
    digits: Vec<u32>,
    /// Where each group begins.
    groups: Vec<usize>,
}

impl Run {
    fn push(&mut self, digit: u32, is_parted: bool) {
        if is_parted || self.digits.is_empty() {
            self.groups.push(self.digits.len());
        }
        self.digits.push(digit);
    }

    /// Whether some groups in a row are one. Parts of groups are not looked at: of any long number some part passes.
    fn holds_a_card_number(&self) -> bool {
        self.groups.iter().enumerate().any(|(place, start)| {
            let ends = self.groups.iter().skip(place + 1).copied().chain([self.digits.len()]);
            let near = ends.take_while(|end| end - start <= *CARD_DIGITS.end());
            near.filter_map(|end| self.digits.get(*start..end)).any(looks_like_a_card)
        })
    }
}

fn looks_like_a_card(digits: &[u32]) -> bool {
    CARD_DIGITS.contains(&digits.len()) && digits.iter().any(|digit| *digit != 0) && passes_luhn(digits)
}

/// The Luhn check: from the right, every second digit counts double, with the digits of the double added up.
fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { digit * 2 / 10 + digit * 2 % 10 } else { *digit })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_found_however_they_are_written() {
        for text in [
            r#"{"token":"4242424242424242"}"#,
            r#"{"token":"4242 4242 4242 4242"}"#,
            r#"{"token":"4242-4242-4242-4242","cvc":"123"}"#,
            "378282246310005",
            "5555.5555.5555.4444",
            "it was 4242 - 4242 - 4242 - 4242, till 12/30",
            "4242 4242 4242 4242 123",
            "4242424242424242 12.30",
            "order 17 4242424242424242",
            "tok-4242424242424242-123",
            "1 2 3 4242 4242 4242 4242 1 2 3",
        ] {
            assert!(holds_a_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_digits_pass() {
        for text in [
            r#"{"token":"tok_ok"}"#,
            r#"{"token":"4242424242424241"}"#,
            r#"{"token":"tok_123456789012"}"#,
            "0000000000000000",
            "4242 4242 4242    4242",
            "2026-11-24 14:28:59.263072",
            "parcel 340434161094042557, 2 of 3",
            "",
        ] {
            assert!(!holds_a_card_number(text), "{text}");
        }
    }
}

#[cfg(test)]
#[path = "card_properties.rs"]
mod properties;
