//! Access tokens, signed as the shop signs them or as somebody who would like to be it.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A key that tokens are signed with.
pub struct TokenKey {
    key: SigningKey,
}

impl TokenKey {
    /// The key that grows from this byte, the same every time.
    pub fn of(byte: u8) -> Self {
        Self { key: SigningKey::from_bytes(&[byte; 32]) }
    }

    /// What a shop must be told to sign with it: `name=value`, for `--variable`.
    pub fn variables(&self) -> [String; 2] {
        let (private, public) = (self.key.to_bytes(), self.key.verifying_key().to_bytes());
        [format!("token_key={}", encode(private)), format!("token_key_public={}", encode(public))]
    }

    /// The header of its tokens.
    pub fn header(&self) -> Value {
        let id = Sha256::digest(self.key.verifying_key().as_bytes());
        json!({"alg": "EdDSA", "typ": "JWT", "kid": encode(&id[..8])})
    }

    /// The bytes of its public half.
    pub fn public(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    /// A token of these claims under this header, signed with this key, whatever the header says.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", encode(signature))
    }
}

/// The claims of an access token as the shop makes them, valid for ten minutes from now.
pub fn claims(user: i64, role: &str) -> Value {
    let now_s = now_s();
    json!({"iss": "/users", "aud": "shop", "sub": user.to_string(), "role": role, "iat": now_s, "exp": now_s + 600})
}

/// What a signature is made over: header and claims.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
}

/// Bytes as tokens hold them.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Seconds since 1970.
pub fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    i64::try_from(since.as_secs()).expect("not so many seconds")
}
