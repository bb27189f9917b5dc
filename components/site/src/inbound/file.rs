//! The files that were made when this component was built.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kit::Problem;
use miniz_oxide::inflate::decompress_slice_iter_to_slice;

/// Bytes around the compressed content of a gzip file that has neither a name nor a comment (RFC 1952, 2.3).
const GZIP_HEAD_BYTES: usize = 10;
const GZIP_TAIL_BYTES: usize = 8;

/// A file, kept as gzip.
#[derive(Debug)]
pub struct File {
    path: &'static str,
    content_type: &'static str,
    /// Names the content.
    tag: &'static str,
    /// How long the content is.
    bytes: usize,
    compressed: &'static [u8],
}

/// All of them.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// The file at this path.
pub fn find(path: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == path)
}

impl File {
    /// The answer to a request with these headers: nothing where the client has it already, and compressed where the
    /// client can read that.
    pub fn answer(&self, request: &HeaderMap, keep: HeaderValue) -> Response {
        let tag = format!("\"{}\"", self.tag);
        let mut response = match (has(request, &tag), reads_gzip(request)) {
            (true, _) => StatusCode::NOT_MODIFIED.into_response(),
            (false, true) => ([(header::CONTENT_ENCODING, "gzip")], self.compressed).into_response(),
            (false, false) => match self.content() {
                Some(content) => content.into_response(),
                None => return Problem::internal().into_response(),
            },
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::CACHE_CONTROL, keep);
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// The content, uncompressed; `None` where it cannot be read, which the tests rule out.
    pub fn content(&self) -> Option<Vec<u8>> {
        let end = self.compressed.len().checked_sub(GZIP_TAIL_BYTES)?;
        let deflated = self.compressed.get(GZIP_HEAD_BYTES..end)?;
        let mut content = vec![0; self.bytes];
        decompress_slice_iter_to_slice(&mut content, std::iter::once(deflated), false, false).ok()?;
        Some(content)
    }
}

/// Whether the client has the content of this tag (RFC 9110, 13.1.2).
fn has(request: &HeaderMap, tag: &str) -> bool {
    let tags = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = tags.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// Whether the client takes gzip (RFC 9110, 12.5.3).
fn reads_gzip(request: &HeaderMap) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused = parts.any(|weight| {
            weight.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn ask(request: &HeaderMap) -> Response {
        find("/openapi.json").unwrap().answer(request, HeaderValue::from_static("no-cache"))
    }

    #[test]
    fn every_file_is_what_it_was() {
        for file in FILES {
            let content = file.content().unwrap_or_else(|| panic!("{}", file.path));
            assert_eq!(content.len(), file.bytes, "{}", file.path);
            assert!(std::str::from_utf8(&content).is_ok(), "{}", file.path);
        }
    }

    #[test]
    fn who_reads_gzip_gets_it() {
        for value in ["gzip", "br, gzip;q=0.5", "*", "deflate, GZIP"] {
            let response = ask(&headers(header::ACCEPT_ENCODING, value));
            assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip", "{value}");
        }
        for value in ["identity", "br", "gzip;q=0", "gzip; q=0.0"] {
            let response = ask(&headers(header::ACCEPT_ENCODING, value));
            assert!(!response.headers().contains_key(header::CONTENT_ENCODING), "{value}");
        }
    }

    #[test]
    fn who_has_it_gets_nothing() {
        let tag = ask(&HeaderMap::new()).headers()[header::ETAG].clone();
        let request = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        assert_eq!(ask(&request).status(), 304);
        assert_eq!(ask(&headers(header::IF_NONE_MATCH, "\"x\", *")).status(), 304);
        assert_eq!(ask(&headers(header::IF_NONE_MATCH, "\"x\"")).status(), 200);
    }
}
