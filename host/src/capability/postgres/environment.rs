//! What of the host's environment counts for connections: one of libpq's variables, and none of the others.
//!
//! sqlx takes what an address does not say from libpq's variables, as a program does that connects for the person who
//! started it. A guest's connection is the guest's, so most of them are overridden by fixed values ([`super::address`]);
//! three cannot be, and must not be set at all.

use super::address::AddressError;
use std::ffi::OsStr;

/// The file with the certificates of the authorities that the operator trusts to vouch for database servers (PEM).
const ROOT_CERTIFICATES: &str = "PGSSLROOTCERT";

/// libpq's variables that sqlx reads. Whoever starts a host removes them from its environment first of all.
pub const FOREIGN_VARIABLES: [&str; 12] = [
    "PGAPPNAME",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSSLCERT",
    "PGSSLKEY",
    "PGSSLMODE",
    "PGUSER",
];

/// Those that sqlx adds to a connection whatever is set explicitly.
const UNAVOIDABLE: [&str; 3] = ["PGOPTIONS", "PGSSLCERT", "PGSSLKEY"];

/// Whom the operator trusts to vouch for database servers.
#[derive(Debug, Clone, Default)]
pub enum Authorities {
    /// Those in the file that `PGSSLROOTCERT` names, if it is set.
    #[default]
    OfEnvironment,
    /// These, as PEM text.
    Pem(String),
}

impl Authorities {
    /// Their certificates; none where the operator has named nobody.
    pub fn certificates(&self) -> Result<Option<String>, AddressError> {
        match self {
            Self::Pem(text) => Ok(Some(text.clone())),
            Self::OfEnvironment => read(std::env::var_os(ROOT_CERTIFICATES).as_deref()),
        }
    }
}

fn read(file: Option<&OsStr>) -> Result<Option<String>, AddressError> {
    let Some(file) = file.filter(|file| !file.is_empty()) else {
        return Ok(None);
    };
    // The guest learns that it cannot be read, and not where it is.
    let text = std::fs::read_to_string(file).map_err(|error| {
        tracing::error!(file = %file.display(), %error, "the file that {ROOT_CERTIFICATES} names cannot be read");
        AddressError::Authorities
    })?;
    if text.contains("-----BEGIN CERTIFICATE-----") { Ok(Some(text)) } else { Err(AddressError::Authorities) }
}

/// Refuses to connect where something of the host's would travel along.
pub fn check() -> Result<(), AddressError> {
    check_with(|name| std::env::var_os(name).is_some())
}

fn check_with(is_set: impl Fn(&str) -> bool) -> Result<(), AddressError> {
    match UNAVOIDABLE.into_iter().find(|name| is_set(name)) {
        Some(name) => Err(AddressError::Environment(name)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_connected_while_the_hosts_own_would_travel_along() {
        assert_eq!(check_with(|_| false), Ok(()));
        for name in UNAVOIDABLE {
            assert_eq!(check_with(|set| set == name), Err(AddressError::Environment(name)));
            assert!(FOREIGN_VARIABLES.contains(&name));
        }
        assert_eq!(check_with(|set| set == "PGHOST" || set == ROOT_CERTIFICATES), Ok(()));
    }

    #[test]
    fn authorities_are_read_from_a_file_of_the_operators() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().as_os_str();
        assert_eq!(read(None), Ok(None));
        assert_eq!(read(Some(OsStr::new(""))), Ok(None));
        assert_eq!(read(Some(path)), Err(AddressError::Authorities), "an empty file is a mistake, not nobody");
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        std::fs::write(path, pem).unwrap();
        assert_eq!(read(Some(path)), Ok(Some(pem.to_owned())));
        assert_eq!(read(Some(OsStr::new("/nowhere/at/all.pem"))), Err(AddressError::Authorities));
    }
}
