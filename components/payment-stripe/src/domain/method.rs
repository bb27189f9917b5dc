//! What stands for the customer's card.

use super::word;

/// What Stripe's form gave the customer in place of a card.
#[derive(Clone, PartialEq, Eq)]
pub enum Method {
    /// `pm_…`: a payment method. Also `card_…` and `src_…`, of accounts that have such.
    PaymentMethod(String),
    /// `tok_…`: a card, for one use.
    CardToken(String),
    /// `ctoken_…`: a payment method with what the customer entered beside it.
    Confirmation(String),
}

/// The text is nothing that Stripe gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no token of Stripe's, such as pm_…, ctoken_… or tok_…")]
pub struct MethodError;

impl Method {
    /// What this token of a charge stands for.
    pub fn parse(token: &str) -> Result<Self, MethodError> {
        let kind = match token.split_once('_') {
            Some(("pm" | "card" | "src", id)) if !id.is_empty() => Self::PaymentMethod,
            Some(("tok", id)) if !id.is_empty() => Self::CardToken,
            Some(("ctoken", id)) if !id.is_empty() => Self::Confirmation,
            _ => return Err(MethodError),
        };
        if word::is_id(token) { Ok(kind(token.to_owned())) } else { Err(MethodError) }
    }

    /// Its text, for Stripe alone.
    pub fn expose(&self) -> &str {
        match self {
            Self::PaymentMethod(token) | Self::CardToken(token) | Self::Confirmation(token) => token,
        }
    }
}

/// It is as good as money: no log shall ever show one.
impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Method(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_known_by_how_it_begins() {
        assert_eq!(Method::parse("pm_card_visa").unwrap(), Method::PaymentMethod("pm_card_visa".to_owned()));
        assert_eq!(Method::parse("tok_visa").unwrap(), Method::CardToken("tok_visa".to_owned()));
        assert_eq!(Method::parse("ctoken_1").unwrap(), Method::Confirmation("ctoken_1".to_owned()));
        for token in ["", "pm_", "visa", "4242424242424242", "cus_1", "pm_1&amount=1", "pm_ü"] {
            assert_eq!(Method::parse(token), Err(MethodError), "{token}");
        }
    }

    #[test]
    fn it_does_not_show_itself() {
        assert_eq!(format!("{:?}", Method::parse("pm_secret").unwrap()), "Method(…)");
    }
}
