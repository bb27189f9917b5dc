//! What proxies say of a request on its way: `Forwarded` (RFC 7239), `X-Forwarded-For` and `X-Forwarded-Proto`.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTOCOL: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Others that say the same things, or more of them.
const PREFIX: &str = "x-forwarded-";
const REAL_ADDRESS: HeaderName = HeaderName::from_static("x-real-ip");

/// What one proxy wrote down: by whom it was asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Who asked it; `None` where that is no address, but `unknown`, a made-up name, or nonsense. The port is 0 where it is not told.
    pub client: Option<SocketAddr>,
    /// Whether it was asked over TLS, where that is told.
    pub by_tls: Option<bool>,
    /// As it was written.
    text: String,
}

/// The hops of `Forwarded`, the nearest last.
pub fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let elements = elements(headers, &FORWARDED, |line| outside_quotes(line, ','));
    let hops = elements.into_iter().map(|text| {
        let pairs = || outside_quotes(&text, ';').into_iter().filter_map(|pair| pair.split_once('='));
        let value = |wanted: &str| {
            pairs().find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| unquoted(value.trim()))
        };
        let (client, by_tls) =
            (value("for").and_then(|node| address(&node)), value("proto").map(|text| is_https(&text)));
        Hop { client, by_tls, text }
    });
    hops.collect()
}

/// The hops of `X-Forwarded-For`, the nearest last. `X-Forwarded-Proto` belongs to them one by one where it has as many elements;
/// else only the nearest proxy's word is surely its own.
pub fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let (nodes, protocols) = (plain_elements(headers, &FOR), plain_elements(headers, &PROTOCOL));
    let side_by_side = nodes.len() == protocols.len();
    let hops = nodes.into_iter().enumerate().map(|(place, text)| {
        let protocol = if side_by_side { protocols.get(place) } else { protocols.last() };
        Hop { client: address(&text), by_tls: protocol.map(|text| is_https(text)), text }
    });
    hops.collect()
}

/// Whether the nearest proxy says that it was asked over TLS, where it names no address.
pub fn nearest_by_tls(headers: &HeaderMap) -> bool {
    plain_elements(headers, &PROTOCOL).last().is_some_and(|text| is_https(text))
}

/// Drops everything of the kind.
pub fn remove(headers: &mut HeaderMap) {
    let is_one = |name: &&HeaderName| name.as_str().starts_with(PREFIX) || [FORWARDED, REAL_ADDRESS].contains(*name);
    let found: Vec<HeaderName> = headers.keys().filter(is_one).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

/// Leaves of each list what is known to be true, so that a guest that takes the first of it is not deceived.
pub fn keep(headers: &mut HeaderMap, forwarded: &[Hop], x_forwarded: &[Hop], by_tls: bool) {
    let protocol = if by_tls { "https" } else { "http" };
    for (name, hops) in [(FORWARDED, forwarded), (FOR, x_forwarded)] {
        headers.remove(&name);
        let text = hops.iter().map(|hop| hop.text.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(value) = HeaderValue::from_str(&text).ok().filter(|_| !hops.is_empty()) {
            headers.insert(name, value);
        }
    }
    headers.insert(PROTOCOL, HeaderValue::from_static(protocol));
    headers.remove(REAL_ADDRESS);
}

/// The elements of a list over all its lines. What is no text counts as an element that says nothing.
fn elements(headers: &HeaderMap, name: &HeaderName, split: impl Fn(&str) -> Vec<&str>) -> Vec<String> {
    let lines = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("unknown"));
    let elements = lines.flat_map(split).map(|element| element.trim().to_owned());
    elements.filter(|element| !element.is_empty()).collect()
}

/// The same of a list that knows no quotes: a client that opens some must not hide what a proxy adds behind them.
fn plain_elements(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    elements(headers, name, |line| line.split(',').collect())
}

/// The parts between separators that stand outside of quotes.
fn outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let outside = |letter: char| {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => return letter == separator && !quoted,
        }
        false
    };
    text.split(outside).collect()
}

fn unquoted(text: &str) -> String {
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inside.map_or_else(|| text.to_owned(), |inside| inside.replace('\\', ""))
}

/// An address as it stands in either list: with a port or without, IPv6 in brackets or bare.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let alone = || bare.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 0));
    text.parse().ok().or_else(alone)
}

fn is_https(text: &str) -> bool {
    text.eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).fold(
            HeaderMap::new(),
            |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            },
        )
    }

    fn clients(hops: &[Hop]) -> Vec<Option<String>> {
        hops.iter().map(|hop| hop.client.map(|client| client.to_string())).collect()
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn the_examples_of_rfc_7239_are_read() {
        let lines = [
            ("forwarded", r#"for="_gazonk", For="[2001:db8:cafe::17]:4711""#),
            ("forwarded", "for=192.0.2.60;proto=HTTPS;by=203.0.113.43, for=unknown"),
            ("forwarded", r#"for="a,b;c\"";proto=http"#),
        ];
        let hops = forwarded(&headers(&lines));
        let expected = [None, some("[2001:db8:cafe::17]:4711"), some("192.0.2.60:0"), None, None];
        assert_eq!(clients(&hops), expected);
        assert_eq!(hops.iter().map(|hop| hop.by_tls).collect::<Vec<_>>(), [None, None, Some(true), None, Some(false)]);
    }

    #[test]
    fn a_list_goes_on_over_lines_and_what_is_no_address_keeps_its_place() {
        let lines = [
            ("x-forwarded-for", "192.0.2.1, ,nonsense"),
            ("x-forwarded-for", "2001:db8::1,192.0.2.2:80,[2001:db8::2]"),
        ];
        let expected =
            [some("192.0.2.1:0"), None, some("[2001:db8::1]:0"), some("192.0.2.2:80"), some("[2001:db8::2]:0")];
        assert_eq!(clients(&x_forwarded(&headers(&lines))), expected);
    }

    #[test]
    fn protocols_stand_beside_addresses_where_there_are_as_many() {
        let by_tls = |protocols| {
            let lines = [("x-forwarded-for", "192.0.2.1, 192.0.2.2"), ("x-forwarded-proto", protocols)];
            x_forwarded(&headers(&lines)).iter().map(|hop| hop.by_tls).collect::<Vec<_>>()
        };
        assert_eq!(by_tls("https, http"), [Some(true), Some(false)]);
        assert_eq!(by_tls("https"), [Some(true), Some(true)]);
        assert_eq!(by_tls("https, https, http"), [Some(false), Some(false)]);
        assert_eq!(by_tls(""), [None, None]);
    }
}
