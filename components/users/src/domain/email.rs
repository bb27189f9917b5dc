//! E-mail addresses in one normal form, so that one mailbox is one account.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// Longest address that mail can carry (RFC 5321, 4.5.3.1).
const ADDRESS_MAX_BYTES: usize = 254;
const LOCAL_MAX_BYTES: usize = 64;
const LABEL_MAX_BYTES: usize = 63;

/// An address without surrounding space, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

/// The text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an e-mail address such as ada@example.com")]
pub struct EmailError;

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = EmailError;

    fn from_str(text: &str) -> Result<Self, EmailError> {
        let address = text.trim().to_lowercase();
        let (local, domain) = address.rsplit_once('@').ok_or(EmailError)?;
        let bounded = text.len() <= ADDRESS_MAX_BYTES && address.len() <= ADDRESS_MAX_BYTES;
        let sound = bounded && is_local(local) && is_domain(domain);
        sound.then_some(Self(address)).ok_or(EmailError)
    }
}

/// Dot-separated atoms (RFC 5322, 3.2.3), letters beyond ASCII included (RFC 6531). Quoted forms are not taken.
fn is_local(local: &str) -> bool {
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    local.len() <= LOCAL_MAX_BYTES && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
}

/// At least two labels of letters, digits and inner hyphens; the last one is no number.
fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= LABEL_MAX_BYTES
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    let last = domain.rsplit('.').next().unwrap_or_default();
    domain.contains('.') && domain.split('.').all(label) && !last.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_spelling() {
        let email: Email = " Ada.Lovelace+Shop@Example.COM ".parse().unwrap();
        assert_eq!(email.as_str(), "ada.lovelace+shop@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for wrong in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@@example.com",
            "a b@example.com",
            ".ada@example.com",
            "ada..l@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@192.168.0.1",
            "ada@example.com\u{0}",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        assert!(long.parse::<Email>().is_err());
    }
}

#[cfg(test)]
#[path = "email_properties.rs"]
mod properties;
