//! What went wrong, in the words of `wasi:http`.

use std::error::Error as StdError;

use wasmtime_wasi_http::Error;

use crate::blocked_networks::Blocked;

/// Why there is no connection.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the name does not resolve")]
    Name,
    #[error("{Blocked}")]
    Prohibited,
    #[error("the connection was refused")]
    Refused,
    #[error("no connection within the time allowed")]
    TimedOut,
    #[error("the address cannot be reached")]
    Unreachable,
    #[error("the certificate is not trusted")]
    Certificate,
    #[error("no agreement on TLS")]
    Tls,
}

impl From<&ConnectError> for Error {
    fn from(error: &ConnectError) -> Self {
        match error {
            ConnectError::Name => Error::DnsError { rcode: None, info_code: None },
            ConnectError::Prohibited => Error::DestinationIpProhibited,
            // As other hosts put it: guests and the suites that try them know these words.
            ConnectError::Refused | ConnectError::Unreachable => Error::ConnectionRefused,
            ConnectError::TimedOut => Error::ConnectionTimeout,
            ConnectError::Certificate => Error::TlsCertificateError,
            ConnectError::Tls => Error::TlsProtocolError,
        }
    }
}

/// The cause of a failed request, found in the chain of what reported it.
pub(super) fn translate(error: &(dyn StdError + 'static)) -> Error {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<ConnectError>() {
            return error.into();
        }
        if let Some(told) = error.downcast_ref::<Error>().and_then(told) {
            return told;
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>()
            && error.source().is_none()
        {
            return translate_hyper(error);
        }
        cause = error.source();
    }
    Error::ConnectionTerminated
}

/// What the guest itself said of its body, as far as it can be said again.
fn told(error: &Error) -> Option<Error> {
    Some(match error {
        Error::HttpRequestBodySize(size) => Error::HttpRequestBodySize(*size),
        Error::HttpRequestTrailerSectionSize(size) => Error::HttpRequestTrailerSectionSize(*size),
        Error::InternalError(text) => Error::InternalError(text.clone()),
        Error::HttpRequestDenied => Error::HttpRequestDenied,
        Error::HttpProtocolError => Error::HttpProtocolError,
        Error::ConfigurationError => Error::ConfigurationError,
        _ => return None,
    })
}

fn translate_hyper(error: &hyper::Error) -> Error {
    if error.is_timeout() {
        Error::HttpResponseTimeout
    } else if error.is_incomplete_message() {
        Error::HttpResponseIncomplete
    } else if error.is_canceled() || error.is_closed() || error.is_body_write_aborted() {
        Error::ConnectionTerminated
    } else {
        Error::HttpProtocolError
    }
}
