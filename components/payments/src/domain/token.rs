//! What a provider's own form gave the customer in place of a card.

/// Longest token that any provider is expected to give.
const MAX_CHARACTERS: usize = 255;

/// A provider's token: visible ASCII without spaces, and no card number.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a token that the payment provider gave, such as tok_ok; card numbers are not accepted")]
pub struct TokenError;

impl Token {
    /// The token in this text.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let sound = (1..=MAX_CHARACTERS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !super::card::holds_a_card_number(text);
        sound.then(|| Self(text.to_owned())).ok_or(TokenError)
    }

    /// Its text, for the provider alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A token is as good as money: no log shall ever show one.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_visible_and_no_card() {
        assert_eq!(Token::parse("tok_ok").unwrap().expose(), "tok_ok");
        for text in ["", "tok ok", "tök", "4242424242424242"] {
            assert_eq!(Token::parse(text), Err(TokenError), "{text}");
        }
        assert_eq!(Token::parse(&"t".repeat(256)), Err(TokenError));
    }

    #[test]
    fn a_token_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token::parse("tok_secret").unwrap()), "Token(…)");
    }
}
