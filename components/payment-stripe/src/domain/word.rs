//! Short names that Stripe gives to things and reasons, which may be shown and stored; its sentences are not for customers.

/// Longest that is believed to be one.
const MAX_CHARACTERS: usize = 255;
/// What stands for a reason that is none.
const UNNAMED: &str = "declined";
/// Reasons of which Stripe says that customers must not hear: whoever tries stolen cards would learn from them
/// (<https://docs.stripe.com/declines/codes>).
const SECRET_REASONS: [&str; 4] = ["fraudulent", "lost_card", "merchant_blacklist", "stolen_card"];
/// What is said in their place.
const GENERIC: &str = "generic_decline";

/// Whether this is an id such as `pi_3MtwBwLkdIwHu7ix28a3tqPa`, which may stand in a path.
pub fn is_id(text: &str) -> bool {
    (1..=MAX_CHARACTERS).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The reason of a decline, as a customer may hear it: the issuer's, or else Stripe's.
pub fn reason(decline_code: Option<&str>, code: Option<&str>) -> String {
    let reason = decline_code.or(code).filter(|reason| is_id(reason)).unwrap_or(UNNAMED);
    if SECRET_REASONS.contains(&reason) { GENERIC } else { reason }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuers_reason_goes_before_stripes() {
        assert_eq!(reason(Some("insufficient_funds"), Some("card_declined")), "insufficient_funds");
        assert_eq!(reason(None, Some("expired_card")), "expired_card");
        assert_eq!(reason(None, None), "declined");
        assert_eq!(reason(Some("a sentence, with a card number"), None), "declined");
    }

    #[test]
    fn nobody_learns_that_a_card_is_known_to_be_stolen() {
        for code in SECRET_REASONS {
            assert_eq!(reason(Some(code), Some("card_declined")), "generic_decline");
        }
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        assert!(is_id("pi_3MtwBwLkdIwHu7ix28a3tqPa"));
        for text in ["", "pi_1/confirm", "../v1", "pi 1", "pi_1?x"] {
            assert!(!is_id(text), "{text}");
        }
    }
}
