//! The address that a guest gives to `open`: a URL or `key=value` words, checked and turned into connect options.
//!
//! Everything is set explicitly: sqlx's defaults come from the host's own environment (`PGPASSWORD` …), which is none
//! of a guest's business. Keys that name files of the host (`sslcert`, `sslrootcert` …) are refused.

use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// The port where none is given.
const DEFAULT_PORT: u16 = 5432;

/// Prepared statements kept on one connection; beyond it the one unused for longest is closed.
const STATEMENTS_PER_CONNECTION: usize = 256;

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
    #[error("sslmode `{0}` is unknown; use disable, prefer, require, verify-ca or verify-full")]
    SslMode(String),
    /// Broken percent-encoding.
    #[error("the database address has broken percent-encoding")]
    Encoding,
}

/// Reads `address`. With `ca_root` (PEM) the server must show a certificate signed by it.
pub fn parse(address: &str, ca_root: Option<&str>) -> Result<Address, AddressError> {
    let parts = if let Some(rest) = after_scheme(address) {
        from_url(rest)?
    } else if address.contains('=') {
        from_words(address)?
    } else {
        return Err(AddressError::Form);
    };
    parts.into_address(ca_root)
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

    fn into_address(self, ca_root: Option<&str>) -> Result<Address, AddressError> {
        let host = self.host.filter(|host| !host.is_empty()).ok_or(AddressError::NoHost)?;
        if host.contains(',') {
            return Err(AddressError::SeveralHosts);
        }
        if host.starts_with(['/', '@']) || host.contains(char::is_whitespace) {
            return Err(AddressError::UnixSocket);
        }
        let user = self.user.filter(|user| !user.is_empty()).ok_or(AddressError::NoUser)?;
        let port = self.port.unwrap_or(DEFAULT_PORT);
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&host)
            .port(port)
            .username(&user)
            .password(self.password.as_deref().unwrap_or(""))
            .database(self.database.as_deref().unwrap_or(&user))
            .application_name(self.application_name.as_deref().unwrap_or("plaza"))
            .ssl_mode(verified(self.ssl_mode.unwrap_or(PgSslMode::Prefer), ca_root.is_some()))
            .statement_cache_capacity(STATEMENTS_PER_CONNECTION);
        if let Some(pem) = ca_root {
            options = options.ssl_root_cert_from_pem(pem.as_bytes().to_vec());
        }
        if let Some(settings) = self.options {
            options = with_settings(options, &settings)?;
        }
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        Ok(Address { host, port, options })
    }
}

/// `require` checks the certificate here as it does in Spin (libpq's does not), and so does any mode once the guest
/// has named whom it trusts.
fn verified(mode: PgSslMode, has_root: bool) -> PgSslMode {
    match mode {
        PgSslMode::Require => PgSslMode::VerifyFull,
        PgSslMode::Prefer | PgSslMode::Allow if has_root => PgSslMode::VerifyFull,
        other => other,
    }
}

/// Takes `-c name=value` settings, the one form of `options` in use.
fn with_settings(mut options: PgConnectOptions, settings: &str) -> Result<PgConnectOptions, AddressError> {
    for setting in settings.split("-c").map(str::trim).filter(|setting| !setting.is_empty()) {
        let (name, value) = setting.split_once('=').ok_or_else(|| AddressError::Key("options".to_owned()))?;
        options = options.options([(name.trim(), value.trim())]);
    }
    Ok(options)
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

fn from_url(rest: &str) -> Result<Parts, AddressError> {
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (credentials, place) = place.rsplit_once('@').map_or((None, place), |(left, right)| (Some(left), right));
    let (authority, database) = place.split_once('/').unwrap_or((place, ""));
    let mut parts = Parts::default();
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        parts.user = Some(decoded(user)?);
        parts.password = password.map(decoded).transpose()?;
    }
    set_authority(&mut parts, authority)?;
    if !database.is_empty() {
        parts.database = Some(decoded(database)?);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        parts.set(&decoded(key)?, decoded(value)?)?;
    }
    Ok(parts)
}

fn set_authority(parts: &mut Parts, authority: &str) -> Result<(), AddressError> {
    if authority.contains(',') {
        return Err(AddressError::SeveralHosts);
    }
    let (host, port_text) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if !host.is_empty() {
        parts.host = Some(decoded(host)?);
    }
    if let Some(text) = port_text {
        parts.port = Some(port(text)?);
    }
    Ok(())
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Result<String, AddressError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = digit().zip(digit()).ok_or(AddressError::Encoding)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| AddressError::Encoding)?);
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Encoding)
}

/// Reads libpq's `key = 'value'` words.
fn from_words(text: &str) -> Result<Parts, AddressError> {
    let mut parts = Parts::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(AddressError::Form)?;
        let (value, after) = word(after.trim_start())?;
        parts.set(key.trim(), value)?;
        rest = after.trim_start();
    }
    Ok(parts)
}

/// One value, quoted or not, and what follows it.
fn word(text: &str) -> Result<(String, &str), AddressError> {
    let quoted = text.starts_with('\'');
    let body = if quoted { text.get(1..).unwrap_or("") } else { text };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, body.get(index + 1..).unwrap_or(""))),
            other if !quoted && other.is_whitespace() => {
                return Ok((value, body.get(index..).unwrap_or("")));
            }
            other => value.push(other),
        }
    }
    if quoted { Err(AddressError::Form) } else { Ok((value, "")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let address = parse("postgres://sh%40p:p%3Ass@db.example:6000/orders?sslmode=disable", None).unwrap();
        assert_eq!((address.host.as_str(), address.port), ("db.example", 6000));
        assert_eq!(address.options.get_username(), "sh@p");
        assert_eq!(address.options.get_database(), Some("orders"));
        assert!(matches!(address.options.get_ssl_mode(), PgSslMode::Disable));
    }

    #[test]
    fn key_value_words_are_taken_apart() {
        let address = parse(r"host=localhost user = 'an\'a' password='a b' dbname=x", None).unwrap();
        assert_eq!((address.host.as_str(), address.port), ("localhost", 5432));
        assert_eq!(address.options.get_username(), "an'a");
    }

    #[test]
    fn an_ipv6_host_keeps_its_colons() {
        let address = parse("postgresql://a@[::1]:7000/x", None).unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 7000));
    }

    #[test]
    fn tricks_that_would_escape_the_grant_are_refused() {
        let refused = |text: &str| parse(text, None).unwrap_err();
        assert_eq!(refused("postgres://u@a,b/x"), AddressError::SeveralHosts);
        assert_eq!(refused("postgres://u@a:1,b:2/x"), AddressError::SeveralHosts);
        assert_eq!(refused("host=a,b user=u"), AddressError::SeveralHosts);
        assert_eq!(refused("postgres://u@%2Frun%2Fpostgresql/x"), AddressError::UnixSocket);
        assert_eq!(refused("host=/run user=u"), AddressError::UnixSocket);
        assert_eq!(refused("host=a hostaddr=10.0.0.1 user=u"), AddressError::Key("hostaddr".into()));
        assert_eq!(refused("postgres://u@a/x?sslrootcert=/etc/passwd"), AddressError::Key("sslrootcert".into()));
        assert_eq!(refused("postgres:///x?user=u"), AddressError::NoHost);
        assert_eq!(refused("nonsense"), AddressError::Form);
    }

    #[test]
    fn the_last_host_given_is_the_one_that_is_checked() {
        let address = parse("postgres://u@granted/x?host=other", None).unwrap();
        assert_eq!(address.host, "other");
        assert_eq!(address.options.get_host(), "other");
    }

    #[test]
    fn require_checks_the_certificate() {
        let address = parse("postgres://u@a/x?sslmode=require", None).unwrap();
        assert!(matches!(address.options.get_ssl_mode(), PgSslMode::VerifyFull));
    }
}
