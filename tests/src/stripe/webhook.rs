//! What Stripe tells by itself.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The body of a fresh event of this type about this object.
pub fn event(kind: &str, object: &Value) -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    json!({
        "id": format!("evt_{number}"),
        "object": "event",
        "api_version": "2025-09-30.clover",
        "created": now_s(),
        "type": kind,
        "livemode": false,
        "data": {"object": object},
    })
    .to_string()
}

/// The `v1` signature of a body that is sent at this time.
pub fn signature(secret: &str, timestamp_s: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(format!("{timestamp_s}.{body}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
    i64::try_from(since.as_secs()).expect("it is before the end of time")
}
