//! Texts of a bounded length.

use std::str::FromStr;

use thiserror::Error;

/// A text of `MIN` to `MAX` characters without surrounding space; line breaks are allowed, other control characters
/// are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// The text is too short, too long, or not printable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have {min} to {max} printable characters")]
pub struct TextError {
    min: usize,
    max: usize,
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for Text<MIN, MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        let printable = text.chars().all(|c| !c.is_control() || c == '\n' || c == '\t');
        if printable && (MIN..=MAX).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        Err(TextError { min: MIN, max: MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_counted_in_characters_without_surrounding_space() {
        assert_eq!(" añb ".parse::<Text<1, 3>>().unwrap().as_str(), "añb");
        assert!("    ".parse::<Text<1, 3>>().is_err());
        assert!("abcd".parse::<Text<1, 3>>().is_err());
        assert!("a\u{0}".parse::<Text<1, 3>>().is_err());
    }
}
