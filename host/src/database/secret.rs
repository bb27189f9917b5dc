//! Random values and how they are kept out of messages.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::RngExt;

/// Letters and digits without those that are mistaken for one another.
const READABLE: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// Characters of a password: 24 of an alphabet of 56 are 139 bits.
const PASSWORD_LENGTH: usize = 24;

/// A password that a person can type, of 139 bits.
pub(crate) fn password() -> String {
    let mut random = rand::rng();
    (0..PASSWORD_LENGTH)
        .filter_map(|_| READABLE.get(random.random_range(0..READABLE.len())))
        .map(|&byte| char::from(byte))
        .collect()
}

/// 32 random bytes in base64url.
pub(crate) fn token() -> String {
    URL_SAFE_NO_PAD.encode(rand::rng().random::<[u8; 32]>())
}

/// The public key, in base64url, of an Ed25519 seed in base64url; `None` when the seed is not one.
pub(crate) fn ed25519_public(seed: &str) -> Option<String> {
    let seed: [u8; 32] = URL_SAFE_NO_PAD.decode(seed).ok()?.try_into().ok()?;
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    Some(URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes()))
}

/// The address without its password, fit for messages.
pub(crate) fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(unreadable address)".to_owned();
    };
    let rest = rest.split('?').next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((login, place)) => {
            let user = login.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{place}")
        }
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_readable_and_long() {
        let password = password();
        assert_eq!(password.len(), PASSWORD_LENGTH);
        assert!(password.bytes().all(|byte| READABLE.contains(&byte)));
        assert_ne!(password, super::password());
    }

    #[test]
    fn a_public_key_follows_from_its_seed() {
        // RFC 8032, section 7.1, test 1.
        let seed = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
        assert_eq!(ed25519_public(seed).unwrap(), "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        assert_eq!(ed25519_public("short"), None);
    }

    #[test]
    fn an_address_in_a_message_has_no_password() {
        assert_eq!(redact("postgres://u:p@ss@h:1/d?password=p"), "postgres://u@h:1/d");
        assert_eq!(redact("postgres://h/d"), "postgres://h/d");
        assert_eq!(redact("nonsense:secret"), "(unreadable address)");
    }
}
