//! Passwords hashed with argon2id.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use kit::Failure;

use crate::domain::password::Hasher;

/// Settings of the OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of nothing, made with the settings above: what a password is checked against when nobody has the address.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LXNhbHQtMDAwMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hasher of the service.
#[derive(Debug, Clone, Copy)]
pub struct Argon2id;

impl Hasher for Argon2id {
    fn hash(&self, password: &str) -> Result<String, Failure> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
            .map_err(|error| Failure::lasting(format!("argon2 settings: {error}")))?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password(password.as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| Failure::lasting(format!("argon2: {error}")))
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let matches = Argon2::default().verify_password(password.as_bytes(), hash.unwrap_or(NOBODY)).is_ok();
        matches && hash.is_some()
    }

    fn is_outdated(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else {
            return true;
        };
        let Ok(params) = Params::try_from(&hash) else {
            return true;
        };
        hash.algorithm.as_str() != "argon2id" || params.m_cost() < MEMORY_KIB || params.t_cost() < PASSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hash = Argon2id.hash("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(Argon2id.verify("correct horse", Some(&hash)));
        assert!(!Argon2id.verify("wrong horse", Some(&hash)));
        assert!(!Argon2id.is_outdated(&hash));
    }

    #[test]
    fn nobodys_hash_can_be_checked_and_never_matches() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!Argon2id.verify("", None));
    }

    #[test]
    fn weaker_settings_are_outdated() {
        let weak = NOBODY.replace("m=19456", "m=4096");
        assert!(Argon2id.is_outdated(&weak));
        assert!(Argon2id.is_outdated("plain"));
    }
}
