//! Addresses a component may call (`allowed_outbound_hosts`).

use std::{net::IpAddr, ops::Range};

use crate::network::Network;

/// What a component may call. Nothing, unless an entry says so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedHosts(Vec<Entry>);

/// One entry: `scheme://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `None` is any.
    scheme: Option<String>,
    host: Host,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// `self`: the application's own routes.
    Own,
    /// The text after `*`, with its dot.
    Subdomains(String),
    Network(Network),
    Exact(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    Range(Range<u32>),
}

/// Why an entry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{entry}` is no address to grant: {problem}")]
pub struct GrantError {
    /// The entry.
    pub entry: String,
    /// What is wrong with it, and how to write it.
    pub problem: Problem,
}

/// What may be wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The word of old Spin versions that opened everything.
    #[error("Spin 2 dropped it; name the hosts, or write `*://*:*` to allow every one")]
    AllowAll,
    /// No `://`.
    #[error("write it as `scheme://host:port`, with `*://` for any scheme")]
    NoScheme,
    /// A scheme with strange characters.
    #[error("the scheme is `*` or letters and digits")]
    BadScheme,
    /// A path, query or fragment.
    #[error("a grant names a host, not a path; take off what follows it")]
    Path,
    /// A user or password.
    #[error("a grant names a host; take off the user and password before `@`")]
    UserInfo,
    /// Neither name, address, block nor wildcard.
    #[error("the host is a name, an address, a block like `10.0.0.0/8`, `*`, `*.example.com` or `self`")]
    BadHost,
    /// Neither number, range nor wildcard.
    #[error("the port is a number, `*`, or a range like `8000..9000`, whose end is not part of it")]
    BadPort,
    /// No port, and the scheme does not imply one.
    #[error("this scheme has no port of its own; add one: `:8080` or `:*`")]
    NoPort,
}

impl AllowedHosts {
    /// Reads the entries, their variables already filled in.
    pub fn parse(entries: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self, GrantError> {
        let read = |entry: &str| Entry::parse(entry).map_err(|problem| GrantError { entry: entry.to_owned(), problem });
        entries.into_iter().map(|entry| read(entry.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a connection to this host and port by this scheme is granted. IPv6 addresses come with or without brackets.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = unbracketed(host);
        self.0.iter().any(|entry| entry.allows(scheme, host, port))
    }

    /// Whether an entry grants the connection that names exactly this host or the domain it is in, as against a wildcard for every
    /// host there is.
    pub fn names_domain(&self, scheme: &str, host: &str, port: u16) -> bool {
        let named = |entry: &Entry| matches!(entry.host, Host::Exact(_) | Host::Subdomains(_));
        self.0.iter().any(|entry| named(entry) && entry.allows(scheme, host, port))
    }

    /// Whether a URL is granted; without a port it has that of its scheme. What is no plain URL is not granted.
    pub fn allows_url(&self, url: &str) -> bool {
        endpoint(url).is_some_and(|(scheme, host, port)| self.allows(scheme, host, port))
    }

    /// Whether requests to the application's own routes are granted (`http://self`, `https://self`). No port and no encryption is between.
    pub fn allows_self(&self) -> bool {
        let by_http = |entry: &Entry| ["http", "https"].iter().any(|scheme| entry.has_scheme(scheme));
        self.0.iter().any(|entry| matches!(entry.host, Host::Own | Host::Any) && by_http(entry))
    }

    /// Whether a connection is granted to anybody by this scheme.
    pub fn any_by(&self, scheme: &str) -> bool {
        self.0.iter().any(|entry| entry.has_scheme(scheme))
    }

    /// Whether connections to every host are granted by this scheme, if not to every port.
    pub fn every_host_by(&self, scheme: &str) -> bool {
        self.0.iter().any(|entry| matches!(entry.host, Host::Any) && entry.has_scheme(scheme))
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The port that a scheme implies.
pub fn default_port(scheme: &str) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "postgres" | "postgresql" => Some(5432),
        "mysql" => Some(3306),
        "redis" | "rediss" => Some(6379),
        "mqtt" => Some(1883),
        "mqtts" => Some(8883),
        _ => None,
    }
}

/// Scheme, host and port of a URL, where they are plain to see.
pub fn endpoint(url: &str) -> Option<(&str, &str, u16)> {
    // Some parsers take `\\` for `/`, and drop blanks: what they would connect to is not what is read here.
    if url.contains(|character: char| character == '\\' || character.is_whitespace() || character.is_control()) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
    let (host, port) = split_port(address)?;
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => default_port(scheme)?,
    };
    (is_address(host) || is_name(host)).then_some((scheme, host, port))
}

impl Entry {
    fn parse(entry: &str) -> Result<Self, Problem> {
        if entry == "insecure:allow-all" {
            return Err(Problem::AllowAll);
        }
        let (scheme, rest) = entry.trim().split_once("://").ok_or(Problem::NoScheme)?;
        let scheme = parse_scheme(scheme)?;
        if rest.contains('@') {
            return Err(Problem::UserInfo);
        }
        let (block, rest) = network(rest);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err(Problem::Path);
        }
        let (host, port) = split_port(rest).ok_or(Problem::BadHost)?;
        let host = match block {
            Some(block) if host.is_empty() => Host::Network(block),
            Some(_) => return Err(Problem::BadHost),
            None => parse_host(host)?,
        };
        Ok(Self { ports: parse_ports(port, scheme.as_deref())?, scheme, host })
    }

    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.has_scheme(scheme) && self.has_port(port) && self.has_host(host)
    }

    fn has_scheme(&self, scheme: &str) -> bool {
        self.scheme.as_deref().is_none_or(|granted| granted.eq_ignore_ascii_case(canonical(scheme)))
    }

    fn has_port(&self, port: u16) -> bool {
        match &self.ports {
            Ports::Any => true,
            Ports::Range(range) => range.contains(&u32::from(port)),
        }
    }

    fn has_host(&self, host: &str) -> bool {
        match &self.host {
            Host::Any => true,
            Host::Own => host.eq_ignore_ascii_case("self"),
            Host::Subdomains(suffix) => ends_with_domain(host, suffix),
            Host::Network(block) => host.parse().is_ok_and(|host| block.contains(host)),
            Host::Exact(name) => same_host(name, host),
        }
    }
}

fn parse_scheme(scheme: &str) -> Result<Option<String>, Problem> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    match scheme {
        "*" => Ok(None),
        _ if scheme.is_empty() || !scheme.bytes().all(good) => Err(Problem::BadScheme),
        _ => Ok(Some(canonical(scheme).to_ascii_lowercase())),
    }
}

fn parse_host(host: &str) -> Result<Host, Problem> {
    match host {
        "*" => Ok(Host::Any),
        "self" => Ok(Host::Own),
        _ => match host.strip_prefix('*') {
            Some(suffix) if suffix.strip_prefix('.').is_some_and(is_name) => {
                Ok(Host::Subdomains(suffix.to_ascii_lowercase()))
            }
            None if is_address(host) || is_name(host) => Ok(Host::Exact(unbracketed(host).to_ascii_lowercase())),
            _ => Err(Problem::BadHost),
        },
    }
}

fn parse_ports(port: Option<&str>, scheme: Option<&str>) -> Result<Ports, Problem> {
    let number = |text: &str| text.parse::<u16>().map(u32::from).map_err(|_| Problem::BadPort);
    match port {
        Some("*") => Ok(Ports::Any),
        Some(text) => match text.split_once("..") {
            Some((first, end)) => {
                let range = number(first)?..number(end)?;
                if range.is_empty() { Err(Problem::BadPort) } else { Ok(Ports::Range(range)) }
            }
            None => number(text).map(|port| Ports::Range(port..port + 1)),
        },
        None => {
            let port = scheme.and_then(default_port).map(u32::from).ok_or(Problem::NoPort)?;
            Ok(Ports::Range(port..port + 1))
        }
    }
}

/// A block of addresses at the start of an entry's host, and what follows it.
fn network(text: &str) -> (Option<Network>, &str) {
    let Some((address, after)) = text.split_once('/') else {
        return (None, text);
    };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (Ok(address), Some((bits, rest))) = (unbracketed(address).parse::<IpAddr>(), after.split_at_checked(digits))
    else {
        return (None, text);
    };
    match bits.parse().ok().and_then(|bits| Network::new(address, bits)) {
        None => (None, text),
        block => (block, rest),
    }
}

/// Both spellings of Postgres are one scheme.
fn canonical(scheme: &str) -> &str {
    if scheme.eq_ignore_ascii_case("postgresql") { "postgres" } else { scheme }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host)
}

/// Host and port of an authority; an IPv6 address needs brackets.
fn split_port(address: &str) -> Option<(&str, Option<&str>)> {
    if address.starts_with('[') {
        let end = address.find(']')? + 1;
        let (host, port) = address.split_at_checked(end)?;
        return match port.strip_prefix(':') {
            None if port.is_empty() => Some((host, None)),
            None => None,
            port => Some((host, port)),
        };
    }
    match address.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((address, None)),
    }
}

fn is_address(host: &str) -> bool {
    unbracketed(host).parse::<IpAddr>().is_ok()
}

fn is_name(host: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    host.len() <= 253 && host.split('.').all(|label| !label.is_empty() && label.bytes().all(good))
}

fn ends_with_domain(host: &str, suffix: &str) -> bool {
    host.len()
        .checked_sub(suffix.len())
        .filter(|at| *at > 0)
        .and_then(|at| host.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(suffix))
}

fn same_host(granted: &str, asked: &str) -> bool {
    match (granted.parse::<IpAddr>(), asked.parse::<IpAddr>()) {
        (Ok(granted), Ok(asked)) => granted == asked,
        _ => granted.eq_ignore_ascii_case(asked),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, url: &str) -> bool {
        AllowedHosts::parse([entry]).unwrap().allows_url(url)
    }

    fn problem(entry: &str) -> Problem {
        AllowedHosts::parse([entry]).unwrap_err().problem
    }

    #[test]
    fn nothing_is_granted_unless_an_entry_says_so() {
        let none = AllowedHosts::parse(Vec::<String>::new()).unwrap();
        assert!(!none.allows("http", "example.com", 80) && none.is_empty() && !none.allows_self());
    }

    #[test]
    fn scheme_host_and_port_must_all_agree() {
        assert!(allows("https://example.com", "https://example.com/a?b"));
        assert!(allows("https://EXAMPLE.com/", "https://example.COM:443"));
        assert!(!allows("https://example.com", "http://example.com"));
        assert!(!allows("https://example.com", "https://example.com:8443"));
        assert!(!allows("https://example.com", "https://www.example.com"));
        assert!(!allows("https://example.com", "https://example.com.evil.org"));
        assert!(allows("postgres://db", "postgresql://me:p@ss@db:5432/x"));
        assert!(!allows("postgres://db", "postgres://db:5433/x"));
    }

    #[test]
    fn wildcards_stand_for_schemes_hosts_subdomains_and_ports() {
        assert!(allows("*://*:*", "redis://anything:1"));
        assert!(allows("http://*.example.com", "http://a.b.example.com"));
        assert!(!allows("http://*.example.com", "http://example.com"));
        assert!(!allows("http://*.example.com", "http://badexample.com"));
        assert!(allows("http://*.spin.internal", "http://users.spin.internal/x"));
        assert!(allows("*://db:5432", "postgres://db"));
    }

    #[test]
    fn a_wildcard_grants_this_machine_and_private_networks_as_under_spin() {
        for host in ["127.0.0.1", "localhost", "[::1]", "10.0.0.1"] {
            assert!(allows("http://*:*", &format!("http://{host}:3000")), "{host}");
        }
    }

    #[test]
    fn a_range_of_ports_leaves_its_end_out() {
        assert!(allows("http://a:8000..9000", "http://a:8000") && allows("http://a:8000..9000", "http://a:8999"));
        assert!(!allows("http://a:8000..9000", "http://a:9000") && !allows("http://a:8000..9000", "http://a"));
    }

    #[test]
    fn addresses_and_blocks_are_compared_as_addresses() {
        assert!(allows("http://10.0.0.0/8:*", "http://10.9.8.7:81"));
        assert!(!allows("http://10.0.0.0/8", "http://11.0.0.1"));
        assert!(!allows("http://10.0.0.0/8", "http://10.example.com"));
        assert!(allows("http://0.0.0.0/0", "http://1.2.3.4"));
        assert!(allows("http://[fd00::]/8:*", "http://[fd12::1]:9"));
        assert!(allows("http://[::1]:80", "http://[0:0:0:0:0:0:0:1]"));
        assert!(AllowedHosts::parse(["http://[::1]"]).unwrap().allows("http", "::1", 80));
    }

    #[test]
    fn own_routes_are_granted_by_self() {
        assert!(AllowedHosts::parse(["http://self"]).unwrap().allows_self());
        assert!(!AllowedHosts::parse(["http://example.com"]).unwrap().allows_self());
    }

    #[test]
    fn a_url_that_could_be_read_in_two_ways_is_not_granted() {
        for url in [
            "http://a\\@example.com",
            "http://exa mple.com",
            "example.com",
            "http://",
            "http://[::1",
            "http://example.com:99999",
        ] {
            assert!(!allows("*://*:*", url), "{url}");
        }
        assert!(!allows("http://good.com", "http://good.com@evil.com"));
        assert!(!allows("http://good.com", "http://evil.com#@good.com"));
    }

    #[test]
    fn bad_entries_say_how_to_write_them() {
        assert_eq!(problem("insecure:allow-all"), Problem::AllowAll);
        assert_eq!(problem("example.com"), Problem::NoScheme);
        assert_eq!(problem("ht tp://a"), Problem::BadScheme);
        assert_eq!(problem("http://a/b"), Problem::Path);
        assert_eq!(problem("http://a?b"), Problem::Path);
        assert_eq!(problem("http://me@a"), Problem::UserInfo);
        assert_eq!(problem("http://"), Problem::BadHost);
        assert_eq!(problem("http://a*.b"), Problem::BadHost);
        assert_eq!(problem("http://*b"), Problem::BadHost);
        assert_eq!(problem("http://::1"), Problem::BadHost);
        assert_eq!(problem("http://10.0.0.0/33"), Problem::Path);
        assert_eq!(problem("http://a:x"), Problem::BadPort);
        assert_eq!(problem("http://a:9..8"), Problem::BadPort);
        assert_eq!(problem("*://a"), Problem::NoPort);
        assert_eq!(problem("gopher://a"), Problem::NoPort);
    }
}
