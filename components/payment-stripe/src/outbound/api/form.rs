//! The parameters of each request (<https://docs.stripe.com/api/payment_intents>, <https://docs.stripe.com/api/refunds>).

use crate::domain::method::Method;
use crate::domain::ports::{GivenBack, NewCharge};

/// Names and values, to be sent form-encoded.
pub type Form = Vec<(&'static str, String)>;

/// The metadata that carries the payment's number, for people at Stripe's dashboard.
const PAYMENT_ID: &str = "metadata[shop_payment_id]";
/// The metadata that carries the payments' key.
const KEY: &str = "metadata[shop_key]";

/// An intent to take an amount, by whatever method the account offers; `returns` says whether a customer who is sent to
/// act elsewhere can come back.
pub fn intent(new: &NewCharge, returns: bool) -> Form {
    vec![
        ("amount", new.amount.minor().to_string()),
        ("currency", new.amount.currency().to_owned()),
        ("automatic_payment_methods[enabled]", "true".to_owned()),
        ("automatic_payment_methods[allow_redirects]", if returns { "always" } else { "never" }.to_owned()),
        (KEY, new.key.clone()),
        (PAYMENT_ID, new.payment_id.to_string()),
    ]
}

/// The confirmation of an intent. Where the customer cannot come back from an action, needing one is a decline.
pub fn confirmation(method: &Method, return_url: Option<&str>) -> Form {
    let mut form = match method {
        Method::PaymentMethod(id) => vec![("payment_method", id.clone())],
        Method::CardToken(id) => {
            vec![("payment_method_data[type]", "card".to_owned()), ("payment_method_data[card][token]", id.clone())]
        }
        Method::Confirmation(id) => vec![("confirmation_token", id.clone())],
    };
    form.push(match return_url {
        Some(url) => ("return_url", url.to_owned()),
        None => ("error_on_requires_action", "true".to_owned()),
    });
    form
}

/// The end of an intent that nobody wants any more.
pub fn cancellation() -> Form {
    vec![("cancellation_reason", "abandoned".to_owned())]
}

/// A refund of a part of what an intent took.
pub fn refund(refund: &GivenBack) -> Form {
    vec![
        ("payment_intent", refund.intent_id.clone()),
        ("amount", refund.amount_minor.to_string()),
        (KEY, refund.key.clone()),
    ]
}

/// The query for the refunds of an intent behind this one.
pub fn refunds_of(intent_id: &str, limit: usize, after: Option<&str>) -> String {
    let mut query = vec![("payment_intent", intent_id.to_owned()), ("limit", limit.to_string())];
    query.extend(after.map(|id| ("starting_after", id.to_owned())));
    encode(&query)
}

/// As `application/x-www-form-urlencoded`. Names and values are texts, of which every one can be encoded.
pub fn encode(form: &Form) -> String {
    serde_urlencoded::to_string(form).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ports::fake::a_charge;
    use crate::domain::refund;

    #[test]
    fn the_metadata_of_a_refund_is_read_back_under_the_name_it_is_sent_with() {
        assert_eq!(KEY, format!("metadata[{}]", refund::KEY));
    }

    #[test]
    fn an_intent_has_its_amount_in_minor_units_and_its_currency_in_small_letters() {
        let text = encode(&intent(&a_charge(), false));
        assert!(text.starts_with("amount=3998&currency=eur&"), "{text}");
        assert!(text.contains("automatic_payment_methods%5Ballow_redirects%5D=never"), "{text}");
        assert!(text.ends_with("metadata%5Bshop_key%5D=payment-1-1&metadata%5Bshop_payment_id%5D=1"), "{text}");
    }

    #[test]
    fn each_kind_of_token_has_its_parameter() {
        let text = |token: &str| encode(&confirmation(&Method::parse(token).unwrap(), None));
        assert_eq!(text("pm_1"), "payment_method=pm_1&error_on_requires_action=true");
        assert_eq!(text("ctoken_1"), "confirmation_token=ctoken_1&error_on_requires_action=true");
        assert_eq!(
            text("tok_1"),
            "payment_method_data%5Btype%5D=card&payment_method_data%5Bcard%5D%5Btoken%5D=tok_1\
             &error_on_requires_action=true"
        );
        let returning = encode(&confirmation(&Method::parse("pm_1").unwrap(), Some("https://shop.example/?a=1&b")));
        assert_eq!(returning, "payment_method=pm_1&return_url=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26b");
    }

    #[test]
    fn a_list_goes_on_behind_its_last_refund() {
        assert_eq!(refunds_of("pi_1", 100, None), "payment_intent=pi_1&limit=100");
        assert_eq!(refunds_of("pi_1", 100, Some("re_1")), "payment_intent=pi_1&limit=100&starting_after=re_1");
    }
}
