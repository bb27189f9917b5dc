//! Random secrets.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use kit::{Failure, uuid};
use sha2::{Digest, Sha256};

use crate::domain::sessions::{RefreshToken, Secrets};

/// Secrets out of the host's random numbers.
#[derive(Debug, Clone, Copy)]
pub struct Random;

impl Secrets for Random {
    fn refresh_token(&self) -> Result<RefreshToken, Failure> {
        let mut bytes = [0_u8; 32];
        getrandom::fill(&mut bytes).map_err(|error| Failure::lasting(format!("no random bytes: {error}")))?;
        let text = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        Ok(RefreshToken { sha256: self.hash_of(&text), text })
    }

    fn hash_of(&self, refresh_token: &str) -> [u8; 32] {
        Sha256::digest(refresh_token).into()
    }

    fn session_id(&self) -> Result<String, Failure> {
        uuid::random()
    }
}
