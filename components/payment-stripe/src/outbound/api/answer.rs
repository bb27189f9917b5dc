//! What Stripe's answers mean (<https://docs.stripe.com/api/errors>).

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::intent::Intent;
use crate::domain::ports::{Complaint, Refusal};
use crate::domain::word;

/// An answer with all that matters of it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// It was given before, to the first request with this idempotency key.
    pub replayed: bool,
    /// Stripe's id of the request, `req_…`, by which it is found at the dashboard.
    pub request: String,
    /// The body.
    pub body: Vec<u8>,
}

#[derive(Debug, Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: Details,
}

/// Its sentence, `message`, is not read: it may repeat what was sent.
#[derive(Debug, Default, Deserialize)]
struct Details {
    r#type: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    payment_intent: Option<Intent>,
}

/// The answer as what was asked for, or why there is none.
pub fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Refusal> {
    let Answer { status, body, .. } = answer;
    if (200..300).contains(status) {
        let unreadable = |_| Refusal::NoAnswer(format!("Stripe's answer cannot be read ({})", answer.request));
        return serde_json::from_slice(body).map_err(unreadable);
    }
    let details = serde_json::from_slice::<Failure>(body).unwrap_or_default().error;
    Err(refusal(answer, details))
}

fn refusal(answer: &Answer, details: Details) -> Refusal {
    let kind = short(details.r#type.as_deref());
    let code = short(details.code.as_deref());
    let said = format!("Stripe answered {} {kind} {code} ({})", answer.status, answer.request);
    match (answer.status, kind, code) {
        (401 | 403, ..) => Refusal::NoAnswer(format!("Stripe does not accept the key in stripe_secret_key ({said})")),
        (404, ..) => Refusal::Unknown,
        // Somebody else is at it, or too much is going on; also in a body of status 400.
        (409 | 429, ..) | (_, _, "lock_timeout" | "idempotency_key_in_use") => Refusal::NoAnswer(said),
        // The id was used with other parameters, by another version of this component: it will not be taken again.
        (_, "idempotency_error", _) => Refusal::Broken(said),
        (424 | 500.., ..) if answer.replayed => Refusal::Broken(said),
        (424 | 500.., ..) => Refusal::NoAnswer(said),
        (400..=499, "card_error", _) => Refusal::Declined(word::reason(details.decline_code.as_deref(), Some(code))),
        (_, _, "payment_intent_unexpected_state") => Refusal::State(details.payment_intent),
        (400 | 402, "invalid_request_error", _) => {
            eprintln!("warning: {said}: it is not understood");
            let code = if code.is_empty() { "invalid_request" } else { code };
            Refusal::Invalid(Complaint { code: code.to_owned(), param: details.param.map(named) })
        }
        // Whoever answered so was not Stripe.
        _ => Refusal::NoAnswer(said),
    }
}

/// A word as it may be stored and logged; nothing, where it is none.
fn short(text: Option<&str>) -> &str {
    text.filter(|text| word::is_id(text)).unwrap_or_default()
}

/// A parameter's name, such as `payment_method_data[card][token]`, without anything that is none.
fn named(param: String) -> String {
    param.chars().filter(|letter| letter.is_ascii_alphanumeric() || "_[]".contains(*letter)).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intent::Standing;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, replayed: false, request: "req_1".to_owned(), body: body.as_bytes().to_vec() }
    }

    fn refused(status: u16, error: &str) -> Refusal {
        read::<Intent>(&answer(status, &format!(r#"{{"error": {error}}}"#))).unwrap_err()
    }

    fn is_no_answer(refusal: &Refusal) -> bool {
        matches!(refusal, Refusal::NoAnswer(_))
    }

    #[test]
    fn an_intent_is_read() {
        let intent: Intent = read(&answer(200, r#"{"id": "pi_1", "status": "succeeded"}"#)).unwrap();
        assert_eq!(intent.standing, Standing::Succeeded);
        for body in ["", "<html>", r#"{"id": "pi_1"}"#] {
            assert!(is_no_answer(&read::<Intent>(&answer(200, body)).unwrap_err()), "{body}");
        }
    }

    #[test]
    fn a_declined_card_says_why() {
        let error = r#"{"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds",
            "message": "Your card has insufficient funds.", "payment_intent": {"id": "pi_1", "status": "requires_payment_method"}}"#;
        assert_eq!(refused(402, error), Refusal::Declined("insufficient_funds".to_owned()));
        let error = r#"{"type": "card_error", "code": "incorrect_cvc", "message": "…"}"#;
        assert_eq!(refused(402, error), Refusal::Declined("incorrect_cvc".to_owned()));
    }

    #[test]
    fn a_wrong_request_is_told_in_short_words_alone() {
        let error = r#"{"type": "invalid_request_error", "code": "resource_missing", "param": "payment_method",
            "message": "No such PaymentMethod: 'pm_secret'"}"#;
        let Refusal::Invalid(complaint) = refused(400, error) else { panic!("it is invalid") };
        assert_eq!(complaint.to_string(), "resource_missing (payment_method)");
        let Refusal::Invalid(complaint) = refused(400, r#"{"type": "invalid_request_error", "code": "4242 4242"}"#)
        else {
            panic!("it is invalid")
        };
        assert_eq!(complaint.to_string(), "invalid_request");
    }

    #[test]
    fn an_intent_in_another_state_comes_along() {
        let error = r#"{"type": "invalid_request_error", "code": "payment_intent_unexpected_state",
            "payment_intent": {"id": "pi_1", "status": "succeeded"}}"#;
        let Refusal::State(Some(intent)) = refused(400, error) else { panic!("it is the state") };
        assert_eq!(intent.standing, Standing::Succeeded);
    }

    #[test]
    fn what_passes_is_no_answer() {
        let error = r#"{"type": "invalid_request_error"}"#;
        for status in [401, 403, 409, 429, 500, 502, 503, 504] {
            assert!(is_no_answer(&refused(status, error)), "{status}");
        }
        assert!(is_no_answer(&refused(400, r#"{"type": "invalid_request_error", "code": "lock_timeout"}"#)));
        assert!(is_no_answer(&read::<Intent>(&answer(400, "<html>Bad request</html>")).unwrap_err()));
        assert!(is_no_answer(&read::<Intent>(&answer(302, "")).unwrap_err()));
    }

    #[test]
    fn a_failure_that_is_repeated_was_kept() {
        let kept = Answer { replayed: true, ..answer(500, r#"{"error": {"type": "api_error"}}"#) };
        assert!(matches!(read::<Intent>(&kept).unwrap_err(), Refusal::Broken(_)));
        assert!(matches!(refused(400, r#"{"type": "idempotency_error"}"#), Refusal::Broken(_)));
    }

    #[test]
    fn nothing_with_that_id_is_no_wrong_request() {
        let error = r#"{"type": "invalid_request_error", "code": "resource_missing", "param": "intent"}"#;
        assert_eq!(refused(404, error), Refusal::Unknown);
    }
}
