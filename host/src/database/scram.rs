//! What PostgreSQL keeps of a password: SCRAM-SHA-256 (RFC 5802, RFC 7677).
//!
//! The many rounds of hashing that are usual make a guess dear, for a password that a person chose. One of [`secret::password`] has
//! 139 bits and cannot be guessed, while the rounds are paid for by each connection that the host makes, on a thread that answers
//! requests.
//!
//! [`secret::password`]: super::secret::password

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use rand::RngExt;
use sha2::{Digest, Sha256};

/// Rounds of hashing.
const ITERATIONS: u32 = 1;

/// What `CREATE ROLE … PASSWORD` takes in place of a password that cannot be guessed, with a salt of its own.
pub(super) fn verifier(password: &str) -> String {
    verifier_with(password, &rand::rng().random::<[u8; 16]>(), ITERATIONS)
}

fn verifier_with(password: &str, salt: &[u8], iterations: u32) -> String {
    let salted = salted(password.as_bytes(), salt, iterations);
    let stored_key = Sha256::digest(keyed(&salted, &[b"Client Key"]));
    let server_key = keyed(&salted, &[b"Server Key"]);
    let [salt, stored_key, server_key] = [salt, stored_key.as_slice(), &server_key].map(|bytes| STANDARD.encode(bytes));
    format!("SCRAM-SHA-256${iterations}:{salt}${stored_key}:{server_key}")
}

/// `Hi` of RFC 5802.
fn salted(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut round = keyed(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = round;
    for _ in 1..iterations {
        round = keyed(password, &[&round]);
        for (sum, byte) in sum.iter_mut().zip(round) {
            *sum ^= byte;
        }
    }
    sum
}

#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
fn keyed(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_is_what_postgresql_makes_of_a_password() {
        // Salt, iterations and password of RFC 7677, section 3.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        assert_eq!(
            verifier_with("pencil", &salt, 4096),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==\
             $WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn two_verifiers_of_one_password_differ() {
        assert_ne!(verifier("pencil"), verifier("pencil"));
    }
}
