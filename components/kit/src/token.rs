//! Access tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037). The algorithm is fixed, so a token cannot choose it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Caller, Role};

/// How long an access token lives.
pub const ACCESS_TOKEN_S: i64 = 600;
/// Who issues access tokens.
pub const ISSUER: &str = "/users";
/// For whom they are.
pub const AUDIENCE: &str = "shop";
/// Longest token that is looked at at all.
const TOKEN_MAX_BYTES: usize = 4096;

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenError {
    /// Not a token of ours: wrong form, key, algorithm, signature, issuer or audience.
    #[error("The access token is not valid. Log in at POST /api/v1/sessions for a new one.")]
    Invalid,
    /// It was one, once.
    #[error("The access token has expired. Refresh it at POST /api/v1/sessions/refresh.")]
    Expired,
}

/// A key's text in a variable is not 32 bytes of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an Ed25519 key: 32 bytes in base64url without padding")]
pub struct KeyError;

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: i64,
    exp: i64,
}

/// The half that only the issuer holds.
pub struct Issuer {
    key: SigningKey,
    kid: String,
}

impl Issuer {
    /// Reads the private seed as the variable `token_key` has it.
    pub fn from_base64(seed: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(&thirty_two_bytes(seed)?);
        let kid = key_id(&key.verifying_key());
        Ok(Self { key, kid })
    }

    /// A token for this caller, valid for [`ACCESS_TOKEN_S`] from `now_s` (Unix seconds).
    pub fn issue(&self, caller: &Caller, now_s: i64) -> String {
        let header = Header { alg: "EdDSA".to_owned(), typ: "JWT".to_owned(), kid: self.kid.clone() };
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: caller.user_id.to_string(),
            role: caller.role,
            sid: caller.session.clone(),
            iat: now_s,
            exp: now_s.saturating_add(ACCESS_TOKEN_S),
        };
        let signed = format!("{}.{}", encode_json(&header), encode_json(&claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

/// The half that every service holds.
#[derive(Debug, Clone)]
pub struct Verifier {
    key: VerifyingKey,
    kid: String,
}

impl Verifier {
    /// Reads the public key as the variable `token_key_public` has it.
    pub fn from_base64(public: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(&thirty_two_bytes(public)?).map_err(|_| KeyError)?;
        let kid = key_id(&key);
        Ok(Self { key, kid })
    }

    /// Who the token speaks for at `now_s` (Unix seconds), and until when.
    pub fn verify(&self, token: &str, now_s: i64) -> Result<(Caller, i64), TokenError> {
        let (caller, expires_s) = self.read(token).ok_or(TokenError::Invalid)?;
        if now_s >= expires_s {
            return Err(TokenError::Expired);
        }
        Ok((caller, expires_s))
    }

    fn read(&self, token: &str) -> Option<(Caller, i64)> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = decode_json(header)?;
        if header.alg != "EdDSA" || header.kid != self.kid {
            return None;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let signature = Signature::from_slice(&signature).ok()?;
        self.key.verify_strict(signed.as_bytes(), &signature).ok()?;
        let claims: Claims = decode_json(claims)?;
        if claims.iss != ISSUER || claims.aud != AUDIENCE {
            return None;
        }
        let caller = Caller { user_id: claims.sub.parse().ok()?, role: claims.role, session: claims.sid };
        Some((caller, claims.exp))
    }
}

/// The public key that belongs to a private seed, as the variable `token_key_public` has it.
pub fn public_of(seed: &str) -> Result<String, KeyError> {
    let key = SigningKey::from_bytes(&thirty_two_bytes(seed)?);
    Ok(BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes()))
}

/// Seconds since 1970 by the component's clock.
pub fn now_s() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|age| i64::try_from(age.as_secs()).ok())
        .unwrap_or(0)
}

fn thirty_two_bytes(text: &str) -> Result<[u8; 32], KeyError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).map_err(|_| KeyError)?;
    bytes.try_into().map_err(|_| KeyError)
}

/// A key's id: the start of its SHA-256.
fn key_id(key: &VerifyingKey) -> String {
    let digest = Sha256::digest(key.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(digest.get(..8).unwrap_or_default())
}

fn encode_json(value: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap_or_default())
}

fn decode_json<T: for<'de> Deserialize<'de>>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    const OTHER: &str = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI";

    fn caller() -> Caller {
        Caller { user_id: 7, role: Role::Admin, session: Some("s".to_owned()) }
    }

    fn verifier(seed: &str) -> Verifier {
        Verifier::from_base64(&public_of(seed).unwrap()).unwrap()
    }

    #[test]
    fn a_token_says_who_holds_it() {
        let token = Issuer::from_base64(SEED).unwrap().issue(&caller(), 1000);
        let verified = verifier(SEED).verify(&token, 1599);
        assert_eq!(verified, Ok((caller(), 1600)));
    }

    #[test]
    fn a_token_ends_to_the_second() {
        let token = Issuer::from_base64(SEED).unwrap().issue(&caller(), 1000);
        let verified = verifier(SEED).verify(&token, 1600);
        assert_eq!(verified, Err(TokenError::Expired));
    }

    #[test]
    fn another_key_a_changed_claim_and_another_algorithm_are_refused() {
        let token = Issuer::from_base64(SEED).unwrap().issue(&caller(), 1000);
        assert_eq!(verifier(OTHER).verify(&token, 1001), Err(TokenError::Invalid));

        let parts: Vec<&str> = token.split('.').collect();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        let claims = String::from_utf8(claims).unwrap().replace("\"7\"", "\"8\"");
        let forged = BASE64_URL_SAFE_NO_PAD.encode(claims);
        let forged = format!("{}.{forged}.{}", parts[0], parts[2]);
        assert_eq!(verifier(SEED).verify(&forged, 1001), Err(TokenError::Invalid));

        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT","kid":"x"}"#);
        let unsigned = format!("{none}.{}.", parts[1]);
        assert_eq!(verifier(SEED).verify(&unsigned, 1001), Err(TokenError::Invalid));
        assert_eq!(verifier(SEED).verify("", 1001), Err(TokenError::Invalid));
    }
}

#[cfg(test)]
#[path = "token_properties.rs"]
mod properties;
