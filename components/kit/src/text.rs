//! Texts of a bounded length.

use std::str::FromStr;

use thiserror::Error;
use utoipa::openapi::{
    Object, ObjectBuilder,
    schema::{SchemaType, Type},
};

/// A text of `MIN` to `MAX` characters on one line, without the space around it. No control character is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<const MIN: usize, const MAX: usize>(String);

/// A text of `MIN` to `MAX` characters without the space around it; line breaks and tabs may be in it, other control
/// characters not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

/// The text is too short, too long, or not printable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must have {min} to {max} printable characters")]
pub struct TextError {
    min: usize,
    max: usize,
}

impl<const MIN: usize, const MAX: usize> Line<MIN, MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for Line<MIN, MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        bounded(text, MIN, MAX, |_| false).map(Self)
    }
}

impl<const MIN: usize, const MAX: usize> FromStr for Text<MIN, MAX> {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        bounded(text, MIN, MAX, |c| c == '\n' || c == '\t').map(Self)
    }
}

impl<const MIN: usize, const MAX: usize> From<Line<MIN, MAX>> for String {
    fn from(line: Line<MIN, MAX>) -> Self {
        line.0
    }
}

impl<const MIN: usize, const MAX: usize> From<Text<MIN, MAX>> for String {
    fn from(text: Text<MIN, MAX>) -> Self {
        text.0
    }
}

/// The schema of what a [`Line`] is read from, for `#[schema(schema_with = kit::text::line::<1, 100>)]`.
pub fn line<const MIN: usize, const MAX: usize>() -> Object {
    schema(MIN, MAX, r"\u0000-\u001F\u007F-\u009F")
}

/// The schema of what a [`Text`] is read from.
pub fn text<const MIN: usize, const MAX: usize>() -> Object {
    schema(MIN, MAX, r"\u0000-\u0008\u000B-\u001F\u007F-\u009F")
}

/// The schema of a [`Line`] that may be left out.
pub fn line_or_nothing<const MIN: usize, const MAX: usize>() -> Object {
    or_nothing(line::<MIN, MAX>())
}

/// The schema of a [`Text`] that may be left out.
pub fn text_or_nothing<const MIN: usize, const MAX: usize>() -> Object {
    or_nothing(text::<MIN, MAX>())
}

/// The schema of a text that may be left out: `null` says the same.
pub fn or_nothing(mut schema: Object) -> Object {
    schema.schema_type = SchemaType::Array(vec![Type::String, Type::Null]);
    schema
}

/// Space around the text counts for the most that may be sent, but not for the least: the schema can say both.
fn bounded(text: &str, min: usize, max: usize, allowed: impl Fn(char) -> bool) -> Result<String, TextError> {
    let trimmed = text.trim();
    let printable = trimmed.chars().all(|c| !c.is_control() || allowed(c));
    if printable && trimmed.chars().count() >= min && text.chars().count() <= max {
        return Ok(trimmed.to_owned());
    }
    Err(TextError { min, max })
}

/// `forbidden` are the control characters that may not be inside, as ranges of a regular expression (ECMA-262).
fn schema(min: usize, max: usize, forbidden: &str) -> Object {
    let (edge, inner) = (format!(r"[^\s{forbidden}]"), format!("[^{forbidden}]"));
    let pattern = match min {
        0 => format!(r"^\s*({edge}({inner}*{edge})?)?\s*$"),
        1 => format!(r"^\s*{edge}({inner}*{edge})?\s*$"),
        _ => format!(r"^\s*{edge}{inner}{{{},}}{edge}\s*$", min - 2),
    };
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length((min > 0).then_some(min))
        .max_length(Some(max))
        .pattern(Some(pattern))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_counted_in_characters_and_kept_without_the_space_around_it() {
        assert_eq!(" añb ".parse::<Text<1, 5>>().unwrap().as_str(), "añb");
        assert_eq!("a\tb\nc".parse::<Text<1, 5>>().unwrap().as_str(), "a\tb\nc");
        for wrong in ["    ", "abcdef", " abcde", "a\u{0}", "a\u{85}b"] {
            assert!(wrong.parse::<Text<1, 5>>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_has_no_break_in_it() {
        assert_eq!("  Zoë \n".parse::<Line<2, 50>>().unwrap().as_str(), "Zoë");
        assert!("名前".parse::<Line<2, 50>>().is_ok());
        assert!("é".repeat(50).parse::<Line<2, 50>>().is_ok());
        for wrong in ["", "a", " a ", "a\nb", "a\tb", &"é".repeat(51)] {
            assert!(wrong.parse::<Line<2, 50>>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_schema_says_the_same() {
        let pattern = line::<2, 50>().pattern.unwrap();
        assert_eq!(
            pattern,
            r"^\s*[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]{0,}[^\s\u0000-\u001F\u007F-\u009F]\s*$"
        );
        assert_eq!(line::<2, 50>().max_length, Some(50));
    }
}
