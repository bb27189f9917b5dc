//! The address that a guest gives to `open`: a URL or `key=value` words, checked and turned into connect options.
//!
//! What it does not say is fixed: port 5432, no password, the database named as the user, `sslmode=prefer`, the
//! application name `plaza`, no settings. sqlx's own defaults come from the host's environment (`PGPASSWORD` …), which
//! is none of a guest's business. Keys that name files of the host (`sslcert`, `sslrootcert` …) are refused.

mod encryption;
mod url;
mod words;

#[cfg(test)]
mod tests;

use super::environment::{self, Authorities};
use crate::limits::STATEMENTS_PER_CONNECTION;
use encryption::{Encryption, encryption};
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::path::Path;

/// The port where none is given.
const DEFAULT_PORT: u16 = 5432;

/// Keys that tune what the host decides itself, and that are therefore read over.
const IGNORED_KEYS: [&str; 8] = [
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_retries",
    "channel_binding",
    "target_session_attrs",
];

/// A parsed address.
#[derive(Debug, Clone)]
pub struct Address {
    /// The host's name or IP address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What sqlx needs to connect.
    pub options: PgConnectOptions,
    /// What to try where the server turns the first away: encrypted in place of plain, or the other way round.
    pub second: Option<PgConnectOptions>,
}

impl Address {
    /// `host:port`, as a grant names it.
    pub fn server(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') && !host.starts_with('[') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// The same server by the Unix socket in `folder`. It is not encrypted, so who insists on that goes the long way.
    pub fn by_socket(self, folder: &Path) -> Self {
        match self.options.get_ssl_mode() {
            PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer => {
                Self { options: self.options.ssl_mode(PgSslMode::Disable).socket(folder), second: None, ..self }
            }
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => self,
        }
    }
}

/// Why an address cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// Neither form of an address.
    #[error("the database address is neither a postgres:// URL nor key=value words")]
    Form,
    /// Not a number between 1 and 65535.
    #[error("`{0}` is no port number; give one between 1 and 65535")]
    Port(String),
    /// No host.
    #[error("the database address names no host; write postgres://user:password@host:5432/database")]
    NoHost,
    /// No user.
    #[error("the database address names no user; write postgres://user:password@host:5432/database")]
    NoUser,
    /// Several hosts.
    #[error("the database address names several hosts; give one")]
    SeveralHosts,
    /// A path instead of a host.
    #[error("Unix sockets are not available to components; name a host and grant it in allowed_outbound_hosts")]
    UnixSocket,
    /// A key that the host does not take from a guest.
    #[error("the database address has `{0}`, which components cannot set; leave it out")]
    Key(String),
    /// An unknown TLS mode.
    #[error("sslmode `{0}` is unknown; use disable, allow, prefer, require, verify-ca or verify-full")]
    SslMode(String),
    /// `verify-ca` without an authority of one's own.
    #[error(
        "sslmode verify-ca needs an authority of your own to trust: the file that PGSSLROOTCERT names in the host's \
         environment, or set-ca-root; without one use verify-full"
    )]
    NoAuthority,
    /// The operator's authorities cannot be read.
    #[error("the host's PGSSLROOTCERT does not name a readable file with certificates in PEM text")]
    Authorities,
    /// The host has something in its environment that would reach the server.
    #[error("the host's environment sets {0}, which would reach a component's connection; unset it and restart")]
    Environment(&'static str),
    /// Broken percent-encoding.
    #[error("the database address has broken percent-encoding")]
    Encoding,
}

/// Reads `address`. With `guest_authority` (PEM) the server must show a certificate signed by it; `authorities` are the
/// operator's.
pub fn parse(address: &str, guest_authority: Option<&str>, authorities: &Authorities) -> Result<Address, AddressError> {
    environment::check()?;
    let parts = if let Some(rest) = after_scheme(address) {
        url::from_url(rest)?
    } else if address.contains('=') {
        words::from_words(address)?
    } else {
        return Err(AddressError::Form);
    };
    let mode = parts.ssl_mode.unwrap_or(PgSslMode::Prefer);
    parts.into_address(encryption(mode, guest_authority, authorities)?)
}

fn after_scheme(address: &str) -> Option<&str> {
    address.strip_prefix("postgres://").or_else(|| address.strip_prefix("postgresql://"))
}

#[derive(Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<String>,
    database: Option<String>,
    ssl_mode: Option<PgSslMode>,
    application_name: Option<String>,
    options: Option<String>,
}

impl Parts {
    fn set(&mut self, key: &str, value: String) -> Result<(), AddressError> {
        match key {
            "host" => self.host = Some(value),
            "port" => self.port = Some(port(&value)?),
            "user" => self.user = Some(value),
            "password" => self.password = Some(value),
            "dbname" => self.database = Some(value),
            "sslmode" => self.ssl_mode = Some(ssl_mode(&value)?),
            "application_name" => self.application_name = Some(value),
            "options" => self.options = Some(value),
            key if IGNORED_KEYS.contains(&key) => {}
            key => return Err(AddressError::Key(key.to_owned())),
        }
        Ok(())
    }

    fn into_address(self, encryption: Encryption) -> Result<Address, AddressError> {
        let host = self.host.filter(|host| !host.is_empty()).ok_or(AddressError::NoHost)?;
        if host.contains(',') {
            return Err(AddressError::SeveralHosts);
        }
        if host.starts_with(['/', '@']) || host.contains(char::is_whitespace) {
            return Err(AddressError::UnixSocket);
        }
        let user = self.user.filter(|user| !user.is_empty()).ok_or(AddressError::NoUser)?;
        let port = self.port.unwrap_or(DEFAULT_PORT);
        let authorities = encryption.authorities.unwrap_or_default();
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&host)
            .port(port)
            .username(&user)
            .password(self.password.as_deref().unwrap_or(""))
            .database(self.database.as_deref().unwrap_or(&user))
            .application_name(self.application_name.as_deref().unwrap_or("plaza"))
            .ssl_mode(encryption.first)
            .ssl_root_cert_from_pem(authorities.into_bytes())
            .statement_cache_capacity(STATEMENTS_PER_CONNECTION)
            .disable_statement_logging();
        let settings = settings(self.options.as_deref().unwrap_or(""))?;
        // Not even an empty list is sent: poolers between here and the server refuse it.
        if !settings.is_empty() {
            options = options.options(settings);
        }
        let second = encryption.second.map(|mode| options.clone().ssl_mode(mode));
        Ok(Address { host, port, options, second })
    }
}

/// Takes `-c name=value` settings apart, the one form of `options` in use. A backslash makes the character behind it an
/// ordinary one.
fn settings(text: &str) -> Result<Vec<(String, String)>, AddressError> {
    let refused = || AddressError::Key("options".to_owned());
    let mut words = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, words.last_mut()) {
            (blank, _) if blank.is_whitespace() => words.push(String::new()),
            ('\\', Some(word)) => word.extend(characters.next()),
            (other, Some(word)) => word.push(other),
            (_, None) => {}
        }
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter().filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        let setting = match word.strip_prefix("-c").ok_or_else(refused)? {
            "" => words.next().ok_or_else(refused)?,
            setting => setting.to_owned(),
        };
        let (name, value) = setting.split_once('=').ok_or_else(refused)?;
        settings.push((name.to_owned(), value.to_owned()));
    }
    Ok(settings)
}

fn port(text: &str) -> Result<u16, AddressError> {
    if text.contains(',') {
        return Err(AddressError::SeveralHosts);
    }
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| AddressError::Port(text.to_owned()))
}

fn ssl_mode(text: &str) -> Result<PgSslMode, AddressError> {
    text.parse().map_err(|_| AddressError::SslMode(text.to_owned()))
}
