//! What the host tells a guest in request headers: Spin's own set, the request's id and its trace context.

use std::{net::SocketAddr, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri, Version,
    header::{COOKIE, HOST},
    uri,
};
use uuid::Uuid;

use crate::{limits::REQUEST_ID_BYTES, router::RouteMatch, service::Lot};

/// The header with the request's id, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// W3C trace context.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const CLIENT_ADDRESS: HeaderName = HeaderName::from_static("spin-client-addr");

/// The cookie and the header that keep a client with one version while another is being tried.
const STICKY: &str = "plaza-sticky";
const STICKY_HEADER: HeaderName = HeaderName::from_static("x-plaza-sticky");

/// The client's request id if it is fit for a log, else a new one.
pub fn request_id(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let fit = |id: &&str| {
        (1..=REQUEST_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match given.filter(fit) {
        Some(id) => id.into(),
        None => Uuid::now_v7().simple().encode_lower(&mut Uuid::encode_buffer()).to_owned().into(),
    }
}

/// The client's trace context if it is well-formed (W3C Trace Context, 3.2), else that of a new trace.
pub fn traceparent(headers: &HeaderMap) -> Arc<str> {
    let given = headers.get(&TRACEPARENT).and_then(|value| value.to_str().ok());
    match given.filter(|value| is_traceparent(value)) {
        Some(value) => value.into(),
        None => new_traceparent(),
    }
}

/// The trace in a well-formed trace context.
pub fn trace_id(traceparent: &str) -> &str {
    traceparent.split('-').nth(1).unwrap_or_default()
}

/// The trace context of a new trace.
pub fn new_traceparent() -> Arc<str> {
    let (trace, span) = (Uuid::new_v4(), Uuid::new_v4());
    let span = span.as_u64_pair().0;
    format!("00-{}-{span:016x}-01", trace.simple()).into()
}

/// The client's ticket in the draw between two versions: that of its cookie `plaza-sticky`, else of its header
/// `x-plaza-sticky`, else any.
pub fn lot(headers: &HeaderMap) -> Lot {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let cookie = pairs.find(|(name, _)| *name == STICKY).map(|(_, value)| value);
    let sticky = cookie.or_else(|| headers.get(&STICKY_HEADER)?.to_str().ok());
    sticky.map_or_else(Lot::any, Lot::of)
}

fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let not_zero = |text: &str| text.bytes().any(|byte| byte != b'0');
    matches!(parts.as_slice(), ["00", trace, span, flags]
        if hex(trace, 32) && not_zero(trace) && hex(span, 16) && not_zero(span) && hex(flags, 2))
}

/// Whether there is one Host header, as HTTP/1.1 wants it (RFC 9112, 3.2); other versions may do without.
pub fn have_sound_host(version: Version, headers: &HeaderMap) -> bool {
    match headers.get_all(HOST).iter().count() {
        0 => version != Version::HTTP_11,
        1 => true,
        _ => false,
    }
}

/// The request's address in full, as a guest expects it: that of HTTPS where it came over TLS. `None` when the client names no
/// usable host.
pub fn full_uri(uri: &Uri, headers: &HeaderMap, secure: bool) -> Option<Uri> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => uri::Authority::from_maybe_shared(headers.get(HOST)?.clone()).ok()?,
    };
    Uri::builder()
        .scheme(if secure { "https" } else { uri.scheme_str().unwrap_or("http") })
        .authority(authority)
        .path_and_query(uri.path_and_query()?.clone())
        .build()
        .ok()
}

/// Replaces whatever the client sent under the host's own names.
pub fn tell(headers: &mut HeaderMap, uri: &Uri, route: &RouteMatch<'_>, client: SocketAddr) {
    let foreign: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with("spin-")).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(FULL_URL, &uri.to_string());
    set(PATH_INFO, route.path_info);
    set(MATCHED_ROUTE, route.pattern);
    set(RAW_COMPONENT_ROUTE, route.pattern);
    set(COMPONENT_ROUTE, route.component_route);
    set(BASE_PATH, "/");
    set(CLIENT_ADDRESS, &client.to_string());
    for (name, value) in &route.params {
        // As Spin spells it: a header's name has dashes.
        let name = name.to_ascii_lowercase().replace('_', "-");
        if let Ok(name) = HeaderName::try_from(format!("spin-path-match-{name}")) {
            set(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{manifest::app::Route, router::Router};

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static("order-42.a_b"));
        assert_eq!(&*request_id(&headers), "order-42.a_b");
        headers.insert(REQUEST_ID, HeaderValue::from_static("a b"));
        assert_eq!(request_id(&headers).len(), 32);
    }

    #[test]
    fn a_malformed_trace_context_starts_a_new_trace() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(good));
        assert!(is_traceparent(&new_traceparent()));
        for bad in ["", "00", "00-0-0-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    #[test]
    fn a_cookie_keeps_a_client_with_one_version_and_a_header_does_where_there_is_none() {
        let mut headers = HeaderMap::new();
        headers.insert(STICKY_HEADER, HeaderValue::from_static("header"));
        assert_eq!(lot(&headers), Lot::of("header"));
        headers.insert(COOKIE, HeaderValue::from_static("a=b; plaza-sticky=cookie; c=d"));
        assert_eq!(lot(&headers), Lot::of("cookie"));
    }

    #[test]
    fn a_named_segment_is_told_in_a_header_with_small_letters_and_dashes() {
        let route = Route::Path("/:path_segment/:Other-one".to_owned());
        let router = Router::new([("web", route)]).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("spin-path-match-forged", HeaderValue::from_static("forged"));
        let client = SocketAddr::from(([127, 0, 0, 1], 80));
        tell(&mut headers, &Uri::from_static("/a/b_c"), &router.find("/a/b_c").unwrap(), client);
        let told = headers.iter().filter(|(name, _)| name.as_str().starts_with("spin-path-match-"));
        let mut told: Vec<_> = told.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        told.sort_unstable();
        assert_eq!(told, [("spin-path-match-other-one", "b_c"), ("spin-path-match-path-segment", "a")]);
    }

    #[test]
    fn the_full_address_comes_from_the_host_header() {
        let mut headers = HeaderMap::new();
        let uri = Uri::from_static("/a?b=c");
        assert_eq!(full_uri(&uri, &headers, false), None);
        headers.insert(HOST, HeaderValue::from_static("example.com:3000"));
        assert_eq!(full_uri(&uri, &headers, false), Some(Uri::from_static("http://example.com:3000/a?b=c")));
        assert_eq!(full_uri(&uri, &headers, true), Some(Uri::from_static("https://example.com:3000/a?b=c")));
    }
}
