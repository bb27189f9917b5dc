//! `Stripe-Signature`: who sent a webhook, and when (<https://docs.stripe.com/webhooks#verify-manually>).

use hmac::{Hmac, KeyInit, Mac};
use kit::hex;
use sha2::Sha256;

/// How far a webhook's clock may be from ours, either way.
pub const TOLERANCE_SECONDS: i64 = 300;
/// The header that carries it.
const HEADER: &str = "stripe-signature";
/// The time of sending, in seconds since 1970.
const TIMESTAMP: &str = "t";
/// The only scheme that is believed. The others belong to Stripe's own tests; were they believed, so could be a weaker one.
const SCHEME: &str = "v1";

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The header is missing or unreadable.
    #[error("it needs the header Stripe-Signature, such as t=1700000000,v1=5257a8…")]
    Unsigned,
    /// It was sent long ago, or will be.
    #[error("its timestamp is more than {TOLERANCE_SECONDS} seconds off")]
    Old,
    /// Somebody else signed it, or somebody changed it.
    #[error("none of its v1 signatures is the HMAC-SHA-256 over `timestamp.body`")]
    Forged,
    /// There is no secret to check it with.
    #[error("the variable stripe_webhook_secret is empty")]
    NoSecret,
}

/// Checks signature and age. `headers` are lower-case. While a secret is replaced there are several signatures, of which
/// one is enough.
pub fn verify(headers: &[(String, String)], body: &[u8], secret: &str, now_s: i64) -> Result<(), SignatureError> {
    if secret.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let header = headers.iter().find(|(name, _)| name == HEADER).ok_or(SignatureError::Unsigned)?;
    let timestamp = values(&header.1, TIMESTAMP).next().ok_or(SignatureError::Unsigned)?;
    let sent_s: i64 = timestamp.parse().map_err(|_| SignatureError::Unsigned)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::NoSecret)?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    // Compared in constant time, and before anything else is said about it.
    let mut signatures = values(&header.1, SCHEME).filter_map(hex::decode).peekable();
    signatures.peek().ok_or(SignatureError::Unsigned)?;
    if !signatures.any(|signature| mac.clone().verify_slice(&signature).is_ok()) {
        return Err(SignatureError::Forged);
    }
    if now_s.saturating_sub(sent_s).saturating_abs() > TOLERANCE_SECONDS {
        return Err(SignatureError::Old);
    }
    Ok(())
}

/// The values of the pairs with this name, in `name=value,name=value`.
fn values<'a>(header: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let pairs = header.split(',').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const NOW_S: i64 = 1_700_000_000;

    fn signature(timestamp: &str, body: &[u8], secret: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{timestamp}.").as_bytes());
        mac.update(body);
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn check(header: &str, body: &[u8], secret: &str, now_s: i64) -> Result<(), SignatureError> {
        verify(&[("stripe-signature".to_owned(), header.to_owned())], body, secret, now_s)
    }

    fn signed() -> String {
        format!("t={NOW_S},v1={}", signature("1700000000", BODY, "whsec_1"))
    }

    #[test]
    fn a_signature_made_elsewhere_is_believed() {
        // printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_1
        let header = "t=1700000000,v1=86d9cb9088d7cce050b0134e2d515d0fc05e8c00073612d3451480c6291f4dcd";
        assert_eq!(check(header, BODY, "whsec_1", NOW_S), Ok(()));
    }

    #[test]
    fn it_is_believed_for_five_minutes() {
        assert_eq!(check(&signed(), BODY, "whsec_1", NOW_S + 300), Ok(()));
        assert_eq!(check(&signed(), BODY, "whsec_1", NOW_S + 301), Err(SignatureError::Old));
        assert_eq!(check(&signed(), BODY, "whsec_1", NOW_S - 301), Err(SignatureError::Old));
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let good = signature("1700000000", BODY, "whsec_1");
        let bad = signature("1700000000", BODY, "whsec_0");
        for header in [format!("t={NOW_S},v1={bad},v1={good}"), format!("v0=00, v1={good}, t={NOW_S}, v1={bad}")] {
            assert_eq!(check(&header, BODY, "whsec_1", NOW_S), Ok(()), "{header}");
        }
    }

    #[test]
    fn other_schemes_are_not_believed() {
        let good = signature("1700000000", BODY, "whsec_1");
        assert_eq!(check(&format!("t={NOW_S},v0={good}"), BODY, "whsec_1", NOW_S), Err(SignatureError::Unsigned));
        let beside = format!("t={NOW_S},v0={good},v1={}", signature("1700000000", BODY, "whsec_0"));
        assert_eq!(check(&beside, BODY, "whsec_1", NOW_S), Err(SignatureError::Forged));
    }

    #[test]
    fn what_was_changed_or_signed_by_another_is_not_believed() {
        assert_eq!(check(&signed(), b"{}", "whsec_1", NOW_S), Err(SignatureError::Forged));
        assert_eq!(check(&signed(), BODY, "whsec_2", NOW_S), Err(SignatureError::Forged));
        let later = signed().replace("t=1700000000", "t=1700000001");
        assert_eq!(check(&later, BODY, "whsec_1", NOW_S), Err(SignatureError::Forged));
        let shorter = &signed()[..signed().len() - 2];
        assert_eq!(check(shorter, BODY, "whsec_1", NOW_S), Err(SignatureError::Forged));
    }

    #[test]
    fn what_is_not_signed_at_all_is_not_believed() {
        for header in ["", "t=1700000000", "v1=00", "t=soon,v1=00", "t=1700000000,v1=xyz", "t=1700000000,v1="] {
            assert!(check(header, BODY, "whsec_1", NOW_S).is_err(), "{header}");
        }
        assert_eq!(verify(&[], BODY, "whsec_1", NOW_S), Err(SignatureError::Unsigned));
        assert_eq!(check(&signed(), BODY, "", NOW_S), Err(SignatureError::NoSecret));
    }
}
