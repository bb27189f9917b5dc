//! TLS: whom the host trusts when it calls others, and what it shows those that call it.

mod identity;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{
        CertificateDer,
        pem::{self, PemObject},
    },
};

pub use self::identity::Identity;

/// Why the host cannot speak TLS to those that call it.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or there is nothing of the kind in it.
    #[error("cannot read {what} in {}: {source}", file.display())]
    File {
        /// What was looked for.
        what: &'static str,
        /// Where.
        file: PathBuf,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key do not go together, or are of a kind that is not spoken.
    #[error("the certificate of --tls-cert cannot be used with the key of --tls-key: {0}")]
    Unfit(#[from] rustls::Error),
}

/// Says whose cryptography those use that are not told: libraries that speak TLS by themselves.
pub fn provide() {
    // It fails where it was said already.
    drop(rustls::crypto::ring::default_provider().install_default());
}

/// Mozilla's certificate authorities, the same on every machine.
pub fn mozilla() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() }
}

/// The certificate authorities in a PEM file, and no others.
///
/// # Errors
/// A file that cannot be read, or in which there is none.
pub fn authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let failed = |source| TlsError::File { what: "an authority's certificate", file: file.to_owned(), source };
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).map_err(failed)?.collect();
    let mut trusted = RootCertStore::empty();
    match trusted.add_parsable_certificates(found.map_err(failed)?) {
        (0, _) => Err(failed(pem::Error::NoItemsFound)),
        _ => Ok(trusted),
    }
}

/// A client without a certificate of its own that trusts these authorities.
///
/// # Errors
/// When the cryptography at hand does not do any version of TLS that is safe.
pub fn client(trusted: RootCertStore) -> Result<ClientConfig, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(config)
}
