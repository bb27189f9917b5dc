//! What somebody looks for in the catalogue.

/// Words to be found, as search engines read them: all of them, `"in a row"`, `or` one another, `-not`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    text: String,
}

impl Search {
    /// The search for this text; `None` where it is empty.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self { text })
    }

    /// What is looked for, as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the last word may be the beginning of a longer one, since it may not be written to its end yet: a plain
    /// word, neither quoted nor excluded.
    pub fn is_open(&self) -> bool {
        let last = self.text.split_whitespace().next_back().unwrap_or_default();
        let is_quoted = self.text.matches('"').count() % 2 == 1;
        self.text.ends_with(last) && !last.is_empty() && !is_quoted && last.chars().all(char::is_alphanumeric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(text: &str) -> bool {
        Search::new(text).unwrap().is_open()
    }

    #[test]
    fn a_plain_word_at_the_end_may_go_on() {
        assert!(is_open("tea") && is_open("blue tea") && is_open("cup or mu") && is_open("\"blue tea\" cu"));
    }

    #[test]
    fn what_is_quoted_excluded_or_put_together_is_meant_as_it_stands() {
        for text in ["\"blue tea", "\"blue tea\"", "cup -tea", "-\"blue tea\"", "wi-fi", "50%", "tea ", "tea:*", "\""] {
            assert!(!is_open(text), "{text}");
        }
    }

    #[test]
    fn nothing_is_no_search() {
        assert_eq!(Search::new(""), None);
    }
}
