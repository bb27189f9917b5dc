//! Keeps card numbers out: the shop takes a provider's tokens and never sees a card.

/// The shortest and longest card numbers (ISO/IEC 7812-1).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// Whether a text holds something like a card number: 13 to 19 digits, perhaps parted by spaces or hyphens, that pass
/// the Luhn check.
pub fn holds_a_card_number(text: &str) -> bool {
    let mut digits: Vec<u32> = Vec::new();
    let mut gap = 0;
    for character in text.chars().chain(std::iter::once('\n')) {
        match (character.to_digit(10), character) {
            (Some(digit), _) => {
                digits.push(digit);
                gap = 0;
            }
            (None, ' ' | '-') if gap == 0 && !digits.is_empty() => gap = 1,
            (None, _) => {
                if looks_like_a_card(&digits) {
                    return true;
                }
                digits.clear();
                gap = 0;
            }
        }
    }
    false
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
            "",
        ] {
            assert!(!holds_a_card_number(text), "{text}");
        }
    }
}
