//! One connection of a client.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response, Version,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// What is spoken on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 without TLS, known beforehand.
    Http2,
}

/// An open connection, for one request at a time.
pub enum Connection {
    /// Of HTTP/1.1.
    Http1(http1::SendRequest<Full<Bytes>>),
    /// Of HTTP/2.
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Connection {
    /// Opens one.
    ///
    /// # Errors
    /// Why it could not be opened, in words.
    pub async fn open(address: &str, protocol: Protocol) -> Result<Self, String> {
        let said = |error: &dyn std::error::Error| format!("connecting to {address}: {error:?}");
        let stream = TcpStream::connect(address).await.map_err(|error| said(&error))?;
        stream.set_nodelay(true).map_err(|error| said(&error))?;
        let stream = TokioIo::new(stream);
        Ok(match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await.map_err(|error| said(&error))?;
                tokio::spawn(connection);
                Self::Http1(sender)
            }
            Protocol::Http2 => {
                let opened = http2::handshake(TokioExecutor::new(), stream).await;
                let (sender, connection) = opened.map_err(|error| said(&error))?;
                tokio::spawn(connection);
                Self::Http2(sender)
            }
        })
    }

    /// Waits until it can take a request; whether it still can.
    pub async fn ready(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request for a path. With HTTP/2 the host goes where it belongs there.
    ///
    /// # Errors
    /// What the connection says.
    pub async fn send(&mut self, mut request: Request<Full<Bytes>>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            Self::Http2(sender) => {
                let host = request.headers_mut().remove("host").expect("every request names its host");
                let uri = format!("http://{}{}", host.to_str().expect("an address"), request.uri());
                *request.uri_mut() = uri.parse().expect("an address");
                *request.version_mut() = Version::HTTP_2;
                sender.send_request(request).await
            }
        }
    }
}
