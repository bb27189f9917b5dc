//! Webhooks: signed with a secret that only the sandbox and the shop know, and worthless once old.

use hmac::{Hmac, KeyInit, Mac};
use kit::hex;
use serde::Deserialize;
use sha2::Sha256;

/// How far a webhook's clock may be from ours, either way.
pub const TOLERANCE_SECONDS: i64 = 300;
/// Longest id or key.
const NAME_MAX_BYTES: usize = 255;
/// The header with the time of sending, in seconds since 1970.
const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signature, in hexadecimal.
const SIGNATURE: &str = "webhook-signature";

/// What a webhook says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The message's id, the same when it is sent again.
    pub id: String,
    /// The key of the charge or refund that it speaks of.
    pub key: String,
    /// How the customer's action ended.
    pub outcome: Ending,
}

/// How something that waited for the customer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The money moved.
    Succeeded,
    /// Refused for good.
    Declined,
}

/// Why a webhook is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A header is missing or unreadable.
    #[error("it needs the headers webhook-timestamp (seconds since 1970) and webhook-signature (hexadecimal)")]
    Unsigned,
    /// It was sent long ago, or will be.
    #[error("its timestamp is more than {TOLERANCE_SECONDS} seconds off")]
    Old,
    /// Somebody else signed it, or somebody changed it.
    #[error("its signature is not the HMAC-SHA-256 over `timestamp.body`")]
    Forged,
    /// It is signed, but says nothing.
    #[error("its body is not a message of the sandbox")]
    Unreadable,
    /// The shop has no secret to check it with.
    #[error("the variable sandbox_webhook_secret is empty")]
    NoSecret,
}

/// Checks signature and age, and reads what it says. `headers` are lower-case.
pub fn read(headers: &[(String, String)], body: &[u8], secret: &str, now_s: i64) -> Result<Webhook, WebhookError> {
    if secret.is_empty() {
        return Err(WebhookError::NoSecret);
    }
    let timestamp = header(headers, TIMESTAMP).ok_or(WebhookError::Unsigned)?;
    let sent_s: i64 = timestamp.parse().map_err(|_| WebhookError::Unsigned)?;
    let signature = header(headers, SIGNATURE).and_then(hex::decode).ok_or(WebhookError::Unsigned)?;
    let mut mac = mac(secret, timestamp)?;
    mac.update(body);
    // Compared in constant time, and before anything else is said about it.
    mac.verify_slice(&signature).map_err(|_| WebhookError::Forged)?;
    if now_s.saturating_sub(sent_s).saturating_abs() > TOLERANCE_SECONDS {
        return Err(WebhookError::Old);
    }
    let webhook: Webhook = serde_json::from_slice(body).map_err(|_| WebhookError::Unreadable)?;
    let sound = is_name(&webhook.id) && is_name(&webhook.key);
    sound.then_some(webhook).ok_or(WebhookError::Unreadable)
}

/// Whether this could be an id or a key at all: visible ASCII of a bounded length.
fn is_name(text: &str) -> bool {
    (1..=NAME_MAX_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn mac(secret: &str, timestamp: &str) -> Result<Hmac<Sha256>, WebhookError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| WebhookError::NoSecret)?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    Ok(mac)
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","key":"payment-1-1","outcome":"succeeded"}"#;
    const NOW_S: i64 = 1_700_000_000;

    fn signed(timestamp: &str, body: &[u8], secret: &str) -> Vec<(String, String)> {
        let mut mac = mac(secret, timestamp).unwrap();
        mac.update(body);
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        vec![(TIMESTAMP.to_owned(), timestamp.to_owned()), (SIGNATURE.to_owned(), signature)]
    }

    #[test]
    fn a_fresh_and_signed_webhook_is_believed() {
        let webhook = read(&signed("1700000000", BODY, "secret"), BODY, "secret", NOW_S + 300).unwrap();
        assert_eq!((webhook.key.as_str(), webhook.outcome), ("payment-1-1", Ending::Succeeded));
    }

    #[test]
    fn an_old_webhook_is_not_believed_though_it_is_signed() {
        let headers = signed("1700000000", BODY, "secret");
        assert_eq!(read(&headers, BODY, "secret", NOW_S + 301), Err(WebhookError::Old));
        assert_eq!(read(&headers, BODY, "secret", NOW_S - 301), Err(WebhookError::Old));
    }

    #[test]
    fn a_changed_webhook_is_not_believed() {
        let headers = signed("1700000000", BODY, "secret");
        assert_eq!(read(&headers, b"{}", "secret", NOW_S), Err(WebhookError::Forged));
        assert_eq!(read(&headers, BODY, "other", NOW_S), Err(WebhookError::Forged));
        let mut later = headers.clone();
        later[0].1 = "1700000001".to_owned();
        assert_eq!(read(&later, BODY, "secret", NOW_S), Err(WebhookError::Forged));
        let mut shorter = headers;
        shorter[1].1.truncate(10);
        assert_eq!(read(&shorter, BODY, "secret", NOW_S), Err(WebhookError::Forged));
    }

    #[test]
    fn an_unsigned_webhook_is_not_believed() {
        assert_eq!(read(&[], BODY, "secret", NOW_S), Err(WebhookError::Unsigned));
        let odd = vec![(TIMESTAMP.to_owned(), "1700000000".to_owned()), (SIGNATURE.to_owned(), "abc".to_owned())];
        assert_eq!(read(&odd, BODY, "secret", NOW_S), Err(WebhookError::Unsigned));
    }

    #[test]
    fn without_a_secret_nothing_is_believed() {
        assert_eq!(read(&signed("1700000000", BODY, "secret"), BODY, "", NOW_S), Err(WebhookError::NoSecret));
    }

    #[test]
    fn a_signed_nonsense_is_still_nonsense() {
        for body in [
            r#"{"id":"evt_1"}"#,
            r#"{"id":"evt_1","key":"payment\u0000","outcome":"succeeded"}"#,
            r#"{"id":"","key":"payment-1-1","outcome":"succeeded"}"#,
            r#"{"id":"evt_1","key":"payment-1-1","outcome":"succeeded","more":1}"#,
        ] {
            let body = body.as_bytes();
            let read = read(&signed("1700000000", body, "secret"), body, "secret", NOW_S);
            assert_eq!(read, Err(WebhookError::Unreadable));
        }
    }
}
