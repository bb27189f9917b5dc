//! Where an application is.

use std::{fmt, str::FromStr};

use http::{Uri, uri::Scheme};

/// `http://host:port`, or with `https` and a path before all of the application's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

/// Why a text is no such address. It does not repeat the text, in which there may be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is something else.
    #[error("write it as http://host:port or https://host:port")]
    Form,
    /// It has a name or password in it, which would be sent to nobody.
    #[error("it has a user in it; write it as http://host:port, and name the token's variable with --token-variable")]
    User,
    /// It has a query.
    #[error("it has a query in it; what is called stands in the path")]
    Query,
}

impl Address {
    /// The address of a path, which begins with `/`.
    pub(super) fn of(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// What goes before every path.
    pub fn path(&self) -> &str {
        let after_scheme = self.0.split_once("://").map_or("", |(_, after)| after);
        after_scheme.find('/').and_then(|start| after_scheme.get(start..)).unwrap_or_default()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let uri: Uri = text.parse().map_err(|_| AddressError::Form)?;
        let known = uri.scheme().filter(|scheme| **scheme == Scheme::HTTP || **scheme == Scheme::HTTPS);
        let (Some(scheme), Some(authority)) = (known, uri.authority()) else { return Err(AddressError::Form) };
        if authority.as_str().contains('@') {
            return Err(AddressError::User);
        }
        if uri.query().is_some() {
            return Err(AddressError::Query);
        }
        Ok(Self(format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/'))))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_address_however_it_ends() {
        for (text, path, whole) in [
            ("http://127.0.0.1:3000", "", "http://127.0.0.1:3000/tick"),
            ("http://127.0.0.1:3000/", "", "http://127.0.0.1:3000/tick"),
            ("https://example.com/api/v1/", "/api/v1", "https://example.com/api/v1/tick"),
            ("http://[::1]:3000", "", "http://[::1]:3000/tick"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.path(), &*address.of("/tick")), (path, whole), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for (text, error) in [
            ("127.0.0.1:3000", AddressError::Form),
            ("localhost", AddressError::Form),
            ("ftp://example.com", AddressError::Form),
            ("", AddressError::Form),
            ("http://ada:hunter2@example.com", AddressError::User),
            ("http://example.com/?token=hunter2", AddressError::Query),
        ] {
            let found = text.parse::<Address>().unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("hunter2"));
        }
    }
}
