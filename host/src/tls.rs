//! TLS to others: whom the host trusts, and how it speaks.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// Mozilla's certificate authorities, the same on every machine.
pub fn mozilla() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.into() }
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
