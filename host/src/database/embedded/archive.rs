//! PostgreSQL's programs as Maven Central has them, for machines that have none.
//!
//! The archives are those of `io.zonky.test.postgres:embedded-postgres-binaries`. One version is named here together with
//! its checksums, so that what is installed does not depend on what a server says today.

use std::{io, net::ToSocketAddrs, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{digest::sha256, tls};

/// The only host that programs come from.
const HOST: &str = "repo1.maven.org";

/// The folder there.
const FOLDER: &str = "/maven2/io/zonky/test/postgres";

/// PostgreSQL's version; its last number is the archive's own.
const VERSION: &str = "17.11.0";

/// The major version of what would be installed.
pub(super) const MAJOR: u32 = 17;

/// How long a connection may take, and each next piece of the archive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest archive that is taken in; the largest of today has 60 MiB.
const ARCHIVE_BYTES: usize = 128 * 1024 * 1024;

/// An archive for one kind of machine.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Archive {
    os: &'static str,
    architecture: &'static str,
    name: &'static str,
    sha256: &'static str,
}

/// Those that were tried or whose programs are the same build for another processor.
const ARCHIVES: [Archive; 4] = [
    Archive {
        os: "linux",
        architecture: "x86_64",
        name: "linux-amd64",
        sha256: "0dd7b72b6f335b8ecfb355fa24c5781e8a93edd09880bb77eb52ebbf29b3e96d",
    },
    Archive {
        os: "linux",
        architecture: "aarch64",
        name: "linux-arm64v8",
        sha256: "8b042e0ea418b1927d95399207950da0734d27fe01e29503ade3bdc464ad4c2b",
    },
    Archive {
        os: "macos",
        architecture: "x86_64",
        name: "darwin-amd64",
        sha256: "d464ff178e9860ba204662ac23fa547504b7fd392392ff2fb92e3fd73b5bdb64",
    },
    Archive {
        os: "macos",
        architecture: "aarch64",
        name: "darwin-arm64v8",
        sha256: "a1c2786acb0c398f9b2d76806fc52f5dc8b222cbc8e9383a9b9702084daaf3a5",
    },
];

impl Archive {
    /// The one for this machine; `None` where there is none.
    pub(super) fn for_this_machine() -> Option<&'static Self> {
        // The programs need glibc; a host that was built for another C library probably runs without it.
        if cfg!(target_os = "linux") && !cfg!(target_env = "gnu") {
            return None;
        }
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    fn of(os: &str, architecture: &str) -> Option<&'static Self> {
        ARCHIVES.iter().find(|archive| archive.os == os && archive.architecture == architecture)
    }

    /// Where it is.
    pub(super) fn url(&self) -> String {
        format!("https://{HOST}{}", self.path())
    }

    fn path(&self) -> String {
        let artifact = format!("embedded-postgres-binaries-{}", self.name);
        format!("{FOLDER}/{artifact}/{VERSION}/{artifact}-{VERSION}.jar")
    }

    /// Fetches it, and makes sure that it is what was published.
    pub(super) async fn download(&self) -> io::Result<Vec<u8>> {
        let mut answer = get(&self.path()).await?;
        if answer.status() != StatusCode::OK {
            return Err(io::Error::other(format!("the server answers {}", answer.status())));
        }
        let mut bytes = Vec::new();
        while let Some(frame) = in_time(answer.frame()).await? {
            let piece = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
            if bytes.len() + piece.len() > ARCHIVE_BYTES {
                return Err(io::Error::other(format!("it is larger than {ARCHIVE_BYTES} bytes")));
            }
            bytes.extend_from_slice(&piece);
        }
        self.verify(&bytes)?;
        Ok(bytes)
    }

    fn verify(&self, bytes: &[u8]) -> io::Result<()> {
        let found = sha256(bytes);
        if found == self.sha256 {
            return Ok(());
        }
        let expected = self.sha256;
        Err(io::Error::other(format!("its SHA-256 is {found}, not {expected}, so it is not what was published")))
    }
}

/// The answer to a GET.
async fn get(path: &str) -> io::Result<hyper::Response<Incoming>> {
    let stream = in_time(connect()).await??;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // It ends with the answer's body; an error on it is one of the body too.
    tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, HOST)
        .header(header::USER_AGENT, concat!("plaza/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    in_time(sender.send_request(request)).await?.map_err(io::Error::other)
}

async fn connect() -> io::Result<TlsStream<TcpStream>> {
    let addresses = tokio::task::spawn_blocking(|| (HOST, 443).to_socket_addrs()).await??;
    let stream = TcpStream::connect(&*addresses.collect::<Vec<_>>()).await?;
    let name = ServerName::try_from(HOST).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(trust()?)).connect(name, stream).await
}

/// Mozilla's certificate authorities and those of this machine: a network that looks into its traffic has its own there.
fn trust() -> io::Result<ClientConfig> {
    let mut roots = tls::mozilla();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    tls::client(roots).map_err(io::Error::other)
}

async fn in_time<T>(work: impl Future<Output = T>) -> io::Result<T> {
    timeout(PATIENCE, work)
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("nothing came within {} s", PATIENCE.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_machines_have_an_archive_and_others_have_none() {
        for (os, architecture) in [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64")] {
            let url = Archive::of(os, architecture).unwrap().url();
            assert!(url.starts_with("https://repo1.maven.org/maven2/io/zonky/test/postgres/"), "{url}");
        }
        assert_eq!(Archive::of("linux", "s390x"), None);
        assert_eq!(Archive::of("windows", "x86_64"), None);
    }

    #[test]
    fn an_archive_that_was_changed_on_the_way_is_refused() {
        let message = ARCHIVES[0].verify(b"something else").unwrap_err().to_string();
        assert!(message.contains("not 0dd7b72b"), "{message}");
    }

    #[test]
    fn the_version_says_the_major_version() {
        assert!(VERSION.starts_with(&format!("{MAJOR}.")));
    }
}
