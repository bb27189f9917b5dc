//! What is left of a request that was refused before it had come.
//!
//! A connection that is closed while its client still sends loses the answer on its way (RFC 9112, 9.6). So the answer goes out at
//! once, and what still comes is read and dropped for a while.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use http_body::{Body as HttpBody, Frame, SizeHint};

/// How long one goes on reading.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers a request, and reads what the answer left of its body.
pub(super) async fn read(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let lent = Lent(Arc::new(Mutex::new(body)));
    let mut rest = lent.clone();
    let response = next.run(Request::from_parts(parts, Body::new(lent))).await;
    if !rest.is_end_stream() {
        tokio::spawn(async move { tokio::time::timeout(PATIENCE, rest.drop_all()).await });
    }
    response
}

/// A body that is read by one and, when that one has given up, by another.
#[derive(Clone)]
struct Lent(Arc<Mutex<Body>>);

impl Lent {
    async fn drop_all(&mut self) {
        while let Some(Ok(_)) = poll_fn(|context| Pin::new(&mut *self).poll_frame(context)).await {}
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
