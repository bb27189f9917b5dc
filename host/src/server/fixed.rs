//! Answers that a manifest fixes (`static_response`).

use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::outgoing::Outgoing;
use crate::manifest::app::StaticResponse;

/// The answer. What the manifest has no name or value for was refused when it was read.
pub fn response(fixed: &StaticResponse) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::text(fixed.body.clone()));
    *response.status_mut() = StatusCode::from_u16(fixed.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &fixed.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_status_the_headers_and_the_length_of_the_manifest() {
        let headers = vec![("Location".to_owned(), "/elsewhere".to_owned())];
        let answer = response(&StaticResponse { status: 302, headers, body: "gone".to_owned() });
        assert_eq!(answer.status(), StatusCode::FOUND);
        assert_eq!(answer.headers()["location"], "/elsewhere");
        assert_eq!(http_body::Body::size_hint(answer.body()).exact(), Some(4));
    }
}
