//! Where a Redis server is, and how to log in: `redis://user:password@host:port/database`, or `rediss://` for TLS.

use std::fmt;

use redis::{ConnectionAddr, IntoConnectionInfo};

/// A parsed address; spellings that mean the same are equal. It is shown without its user and password.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedisAddress {
    /// The host's name or IP address, the latter without brackets.
    pub host: String,
    /// The port; 6379 where the address names none.
    pub port: u16,
    /// Whether it speaks TLS.
    pub is_secure: bool,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
}

/// Why an address cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedisAddressError {
    /// No address of a Redis server.
    #[error(
        "write it as redis://user:password@host:port/database, or with rediss:// for TLS; user, password, port and database may be left out"
    )]
    Form,
    /// `#insecure`, most likely.
    #[error("take off what follows `#`: the certificate of a server is always checked")]
    Fragment,
}

impl RedisAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// See [`RedisAddressError`].
    pub fn parse(address: &str) -> Result<Self, RedisAddressError> {
        let (scheme, rest) = address.split_once("://").ok_or(RedisAddressError::Form)?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "redis" => false,
            "rediss" => true,
            _ => return Err(RedisAddressError::Form),
        };
        if rest.contains('#') {
            return Err(RedisAddressError::Fragment);
        }
        // The crate would bring a TLS of its own for the other scheme; what follows is written alike.
        let read = format!("redis://{rest}").into_connection_info().map_err(|_| RedisAddressError::Form)?;
        let ConnectionAddr::Tcp(host, port) = read.addr() else { return Err(RedisAddressError::Form) };
        if host.is_empty() {
            return Err(RedisAddressError::Form);
        }
        let settings = read.redis_settings();
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: *port,
            is_secure,
            username: settings.username().map(str::to_owned),
            password: settings.password().map(str::to_owned),
            database: settings.db(),
        })
    }

    /// The scheme, by which grants go.
    pub fn scheme(&self) -> &'static str {
        if self.is_secure { "rediss" } else { "redis" }
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(formatter, "{}://{open}{host}{close}:{port}", self.scheme())
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: &str) -> String {
        RedisAddress::parse(address).unwrap().to_string()
    }

    #[test]
    fn an_address_is_shown_without_user_and_password() {
        let address = RedisAddress::parse("redis://ada:s%40cret@db.example:7000/3").unwrap();
        assert_eq!(address.to_string(), "redis://db.example:7000");
        assert_eq!(format!("{address:?}"), "redis://db.example:7000");
        assert_eq!((address.username.as_deref(), address.password.as_deref()), (Some("ada"), Some("s@cret")));
        assert_eq!(address.database, 3);
    }

    #[test]
    fn what_an_address_leaves_out_is_the_usual() {
        assert_eq!(shown("redis://localhost"), "redis://localhost:6379");
        assert_eq!(shown("REDISS://localhost/"), "rediss://localhost:6379");
        assert_eq!(shown("redis://[::1]:7000"), "redis://[::1]:7000");
        let address = RedisAddress::parse("redis://:secret@localhost").unwrap();
        assert_eq!((address.username, address.password.as_deref(), address.database), (None, Some("secret"), 0));
    }

    #[test]
    fn spellings_that_mean_the_same_are_equal() {
        let plain = RedisAddress::parse("redis://db.example").unwrap();
        for spelling in
            ["redis://db.example:6379", "REDIS://DB.example/", "redis://db.example/0", "redis://db.example:6379/0"]
        {
            assert_eq!(RedisAddress::parse(spelling).unwrap(), plain, "{spelling}");
        }
        for another in
            ["rediss://db.example", "redis://db.example/1", "redis://:secret@db.example", "redis://db.example:1"]
        {
            assert_ne!(RedisAddress::parse(another).unwrap(), plain, "{another}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        let wrong = [
            "",
            "localhost:6379",
            "http://localhost",
            "unix:///run/redis.sock",
            "redis+unix:///run/redis.sock",
            "redis://",
            "redis:///0",
            "redis://localhost:99999",
            "redis://localhost/first",
        ];
        for address in wrong {
            assert_eq!(RedisAddress::parse(address), Err(RedisAddressError::Form), "{address}");
        }
        assert_eq!(RedisAddress::parse("rediss://localhost/#insecure"), Err(RedisAddressError::Fragment));
    }
}
