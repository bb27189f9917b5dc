//! TLS: whom the host trusts when it calls others, and what it shows those that call it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};

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

/// A server that shows the certificates of a PEM file, the first of which is for this key, and speaks HTTP/2 and HTTP/1.1.
///
/// # Errors
/// A file that cannot be read, or a certificate that is not for the key.
pub fn server(certificates: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let failed = |what, file: &Path| {
        let file = file.to_owned();
        move |source| TlsError::File { what, file, source }
    };
    let shown =
        CertificateDer::pem_file_iter(certificates).and_then(|found| match found.collect::<Result<Vec<_>, _>>() {
            Ok(found) if found.is_empty() => Err(pem::Error::NoItemsFound),
            read => read,
        });
    let shown = shown.map_err(failed("a certificate", certificates))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(failed("a private key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(shown, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
