//! Requests to registries and to other hosts: who may be asked over plain HTTP, where one is led, and how much is read.

use std::net::IpAddr;

use reqwest::{Client, Response, Url, redirect};
use rustls::RootCertStore;

use super::{contents::too_much, error::RegistryError, reference::Reference, refusal::unanswered};
use crate::{
    limits::{REGISTRY_CONNECT_TIME, REGISTRY_PAUSE, REGISTRY_REDIRECTS, REGISTRY_REFUSAL_BYTES},
    tls,
};

/// What `--insecure` allows: plain HTTP with the registry that the command names, and with this machine. All others are asked over TLS.
#[derive(Debug, Clone, Default)]
pub struct Insecure {
    said: bool,
    named: Option<String>,
}

impl Insecure {
    /// Whether the flag was said, and what the command names beside it.
    pub fn of(said: bool, named: Option<&Reference>) -> Self {
        Self { said, named: named.map(|reference| reference.registry().to_owned()) }
    }

    /// Whether `host` or `host:port` is asked over plain HTTP.
    pub fn allows(&self, registry: &str) -> bool {
        self.said && (self.named.as_deref() == Some(registry) || is_here(without_port(registry)))
    }

    /// `http` or `https`.
    pub fn scheme(&self, registry: &str) -> &'static str {
        if self.allows(registry) { "http" } else { "https" }
    }

    /// Whether a password may be sent there, or a request led there that began over TLS. The port may be another.
    pub fn trusts(&self, url: &Url) -> bool {
        let named = self.named.as_deref().map(without_port);
        let plain = |host: &str| self.said && (named == Some(host) || is_here(host));
        url.scheme() == "https" || url.scheme() == "http" && url.host_str().is_some_and(plain)
    }
}

fn without_port(registry: &str) -> &str {
    let parts = registry.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    parts.map_or(registry, |(host, _)| host)
}

/// Whether that is this machine, to which nobody listens on the way.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or_else(|_| host.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
}

/// A client that follows nobody from HTTPS to HTTP, unless that is allowed.
///
/// # Errors
/// When the cryptography at hand does not do TLS.
pub fn client(trusted: RootCertStore, insecure: Insecure, registry: &str) -> Result<Client, RegistryError> {
    let config = tls::client(trusted)
        .map_err(|error| RegistryError::NoTls { registry: registry.to_owned(), cause: error.to_string() })?;
    let follow = redirect::Policy::custom(move |attempt| {
        let was_safe = attempt.previous().last().is_none_or(|before| before.scheme() == "https");
        if attempt.previous().len() > REGISTRY_REDIRECTS {
            attempt.error("it leads on and on")
        } else if was_safe && !insecure.trusts(attempt.url()) {
            attempt.error("it leads on to plain HTTP")
        } else {
            attempt.follow()
        }
    });
    Client::builder()
        .tls_backend_preconfigured(config)
        .redirect(follow)
        // An address may have a token in it, which is not for the next one.
        .referer(false)
        .connect_timeout(REGISTRY_CONNECT_TIME)
        .read_timeout(REGISTRY_PAUSE)
        .user_agent(concat!("plaza/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| unanswered(registry.to_owned(), error))
}

/// Asks for an address of whoever runs it: certificates are taken from those whom browsers trust, and this machine.
///
/// # Errors
/// When nobody answers.
pub async fn get(url: &str, host: &str, insecure: &Insecure) -> Result<Response, RegistryError> {
    let mut trusted = tls::mozilla();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let client = client(trusted, insecure.clone(), host)?;
    client.get(url).send().await.map_err(|error| unanswered(host.to_owned(), error))
}

/// The body of an answer.
///
/// # Errors
/// When there is more than `most` bytes, and when it breaks off.
pub async fn body(mut answer: Response, registry: &str, what: &str, most: u64) -> Result<Vec<u8>, RegistryError> {
    let mut read = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| unanswered(registry.to_owned(), error))? {
        let length = (read.len() + piece.len()) as u64;
        if length > most {
            return Err(too_much(what.to_owned(), length, most));
        }
        read.extend_from_slice(&piece);
    }
    Ok(read)
}

/// The beginning of what is said beside a refusal; nothing where it breaks off.
pub async fn beginning(mut answer: Response) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        read.extend_from_slice(&piece);
        if read.len() >= REGISTRY_REFUSAL_BYTES {
            read.truncate(REGISTRY_REFUSAL_BYTES);
            break;
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_holds_for_the_registry_that_was_named_and_for_this_machine() {
        let named = "registry.example:5000/app:1".parse().unwrap();
        let insecure = Insecure::of(true, Some(&named));
        for registry in ["registry.example:5000", "localhost:5001", "127.0.0.1:1", "127.1.2.3", "localhost"] {
            assert_eq!(insecure.scheme(registry), "http", "{registry}");
        }
        for registry in ["ghcr.io", "registry.example", "registry.example:5001", "localhost.example.com", "10.0.0.1"] {
            assert_eq!(insecure.scheme(registry), "https", "{registry}");
        }
        assert!(!Insecure::of(true, None).allows("registry.example:5000"));
        assert!(!Insecure::of(false, Some(&named)).allows("localhost:5000"));
    }

    #[test]
    fn a_password_goes_nowhere_over_plain_http_where_nobody_said_so() {
        let named = "registry.example:5000/app:1".parse().unwrap();
        let trusts = |insecure: &Insecure, url: &str| insecure.trusts(&Url::parse(url).unwrap());
        let insecure = Insecure::of(true, Some(&named));
        for url in ["https://auth.example/token", "http://registry.example:5001/token", "http://[::1]:9/token"] {
            assert!(trusts(&insecure, url), "{url}");
        }
        for url in ["http://auth.example/token", "http://registry.example@auth.example/", "ftp://registry.example/"] {
            assert!(!trusts(&insecure, url), "{url}");
        }
        assert!(!trusts(&Insecure::default(), "http://localhost/token"));
    }
}
