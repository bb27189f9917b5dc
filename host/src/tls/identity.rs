//! What the host shows those that call it: a certificate and its key, of files that may be renewed while it serves.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use super::TlsError;

/// How often one looks whether the files are others.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    files: Files,
    read: Contents,
}

/// Where they are, in PEM: the certificate first, then those between it and its authority.
#[derive(Clone)]
struct Files {
    certificates: PathBuf,
    key: PathBuf,
}

/// What is in the files.
#[derive(Clone, PartialEq, Eq)]
struct Contents {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

/// What connections that begin now are shown.
struct Shown(ArcSwap<CertifiedKey>);

impl Identity {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read, or a certificate that is not for the key.
    pub fn read(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = Files { certificates: certificates.to_owned(), key: key.to_owned() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let read = files.contents()?;
        let certified = files.certified(&read, &provider)?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(certified)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), shown, files, read })
    }

    /// A server that shows them, and speaks HTTP/2 and HTTP/1.1.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Shows what is new in the files, for ever. What cannot be used is told, and what was shown before is shown on: of the two
    /// files one is written first.
    pub async fn keep_up(mut self) {
        let mut refused = None;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let (files, before) = (self.files.clone(), self.read.clone());
            let looked = tokio::task::spawn_blocking(move || files.renewed(&before)).await;
            let error = match looked {
                Ok(Ok(None)) => None,
                Ok(Ok(Some((read, certified)))) => {
                    self.shown.0.store(Arc::new(certified));
                    self.read = read;
                    tracing::info!(file = %self.files.certificates.display(), "a new certificate is shown from now on");
                    None
                }
                Ok(Err(error)) => Some(error.to_string()),
                Err(error) => Some(error.to_string()),
            };
            if error.is_some() && error != refused {
                let reason = error.as_deref();
                tracing::warn!(reason, "a new certificate cannot be used; the one before is shown on");
            }
            refused = error;
        }
    }
}

impl Files {
    fn contents(&self) -> Result<Contents, TlsError> {
        let read = |what, file: &Path| {
            let failed = |error| TlsError::File { what, file: file.to_owned(), source: pem::Error::Io(error) };
            fs::read(file).map_err(failed)
        };
        let certificates = read("a certificate", &self.certificates)?;
        Ok(Contents { certificates, key: read("a private key", &self.key)? })
    }

    /// What is in the files now, if it is another than before.
    fn renewed(&self, before: &Contents) -> Result<Option<(Contents, CertifiedKey)>, TlsError> {
        let read = self.contents()?;
        if read == *before {
            return Ok(None);
        }
        let certified = self.certified(&read, &rustls::crypto::ring::default_provider())?;
        Ok(Some((read, certified)))
    }

    fn certified(&self, read: &Contents, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let failed = |what, file: &Path| {
            let file = file.to_owned();
            move |source| TlsError::File { what, file, source }
        };
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read.certificates).collect();
        let certificates = match certificates {
            Ok(found) if found.is_empty() => Err(pem::Error::NoItemsFound),
            found => found,
        };
        let certificates = certificates.map_err(failed("a certificate", &self.certificates))?;
        let key = PrivateKeyDer::from_pem_slice(&read.key).map_err(failed("a private key", &self.key))?;
        Ok(CertifiedKey::from_der(certificates, key, provider)?)
    }
}

/// Where it is from, and nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Identity").field(&self.files.certificates).finish()
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Shown")
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}
