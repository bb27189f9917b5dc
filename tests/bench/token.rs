//! The peer's access tokens: signed like the shop's, with a key that is worth nothing.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};

const SEED: [u8; 32] = [7; 32];

/// A token of the user with this number.
pub fn sign(user: i64) -> String {
    let head = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": "EdDSA", "typ": "JWT", "kid": "bench"}).to_string());
    let claims =
        json!({"sub": user.to_string(), "aud": "shop", "iss": "bench", "exp": 4_000_000_000_u64, "role": "customer"});
    let text = format!("{head}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = SigningKey::from_bytes(&SEED).sign(text.as_bytes());
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// The key that tells true tokens from others.
pub fn public_key() -> VerifyingKey {
    SigningKey::from_bytes(&SEED).verifying_key()
}

/// The user whom a token names; `None` when it is not true.
pub fn verify(key: &VerifyingKey, token: &str) -> Option<i64> {
    let (text, signature) = token.rsplit_once('.')?;
    let signature = Signature::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
    key.verify_strict(text.as_bytes(), &signature).ok()?;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(text.split_once('.')?.1).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    (claims["aud"] == "shop").then(|| claims["sub"].as_str()?.parse().ok())?
}
