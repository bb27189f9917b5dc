//! `sslmode`, with the meaning that libpq's documentation gives it.
//!
//! Two authorities may stand behind a verified connection: one that the guest has named itself (`set-ca-root`), and
//! those of the operator. Once the guest has named one, every mode but `disable` checks certificate and name, as in
//! Spin. sqlx trusts Mozilla's authorities beside them.

use super::AddressError;
use crate::capability::postgres::environment::Authorities;
use sqlx::postgres::PgSslMode;

/// How to encrypt.
pub struct Encryption {
    /// At the first attempt.
    pub first: PgSslMode,
    /// At a second one, should the server turn the first away.
    pub second: Option<PgSslMode>,
    /// Whom to trust besides Mozilla's authorities, as PEM text.
    pub authorities: Option<String>,
}

/// Decides how to encrypt. `guest_authority` is PEM text.
pub fn encryption(
    mode: PgSslMode,
    guest_authority: Option<&str>,
    authorities: &Authorities,
) -> Result<Encryption, AddressError> {
    let (first, second, authorities) = match (mode, guest_authority) {
        (PgSslMode::Disable, _) => (mode, None, None),
        (_, Some(authority)) => (PgSslMode::VerifyFull, None, Some(authority.to_owned())),
        (PgSslMode::Allow, None) => (PgSslMode::Disable, Some(PgSslMode::Require), None),
        (PgSslMode::Prefer, None) => (mode, Some(PgSslMode::Disable), None),
        (PgSslMode::Require, None) => match authorities.certificates()? {
            None => (mode, None, None),
            authorities => (PgSslMode::VerifyCa, None, authorities),
        },
        // Anybody can have a certificate of a public authority; without the name it proves nothing.
        (PgSslMode::VerifyCa, None) => {
            (mode, None, Some(authorities.certificates()?.ok_or(AddressError::NoAuthority)?))
        }
        (PgSslMode::VerifyFull, None) => (mode, None, authorities.certificates()?),
    };
    Ok(Encryption { first, second, authorities })
}
