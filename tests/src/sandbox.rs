//! The sandbox provider, telling the shop something by itself.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use crate::{Client, client::Call, shop::fresh_key, token::now_s};

/// What the shops of the tests and their provider share.
pub const SECRET: &str = "a secret of the tests";

/// The variable that gives a shop this secret, for `--variable`.
pub fn variable() -> String {
    format!("sandbox_webhook_secret={SECRET}")
}

/// A message that says how the charge or refund with this key ended: `succeeded` or `declined`.
pub fn notice(key: &str, outcome: &str) -> String {
    json!({"id": format!("evt-{}", fresh_key()), "key": key, "outcome": outcome}).to_string()
}

/// A message as the provider sends it: now, and signed with the right secret.
pub fn tell(client: &Client, message: &str) -> Call {
    send(client, message, SECRET, now_s())
}

/// A message, signed with this secret at this time.
pub fn send(client: &Client, message: &str, secret: &str, timestamp_s: i64) -> Call {
    let mut request =
        client.request("POST", "/api/v1/payments/webhooks/sandbox").header("content-type", "application/json");
    for (name, value) in headers(message, secret, timestamp_s) {
        request = request.header(name, &value);
    }
    request.body(message)
}

/// The headers that vouch for a message.
pub fn headers(message: &str, secret: &str, timestamp_s: i64) -> [(&'static str, String); 2] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(format!("{timestamp_s}.{message}").as_bytes());
    let signature = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    [("webhook-timestamp", timestamp_s.to_string()), ("webhook-signature", signature)]
}
