//! Somebody who speaks HTTP.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use serde_json::Value;

use crate::answer::Answer;

/// No answer takes longer than this; the host's own limit is 30 s.
const REQUEST_PATIENCE: Duration = Duration::from_secs(60);

/// A connection that stood idle for longer is not used again: the host closes it after a minute, perhaps at the very moment.
const IDLE_PATIENCE: Duration = Duration::from_secs(30);

/// A client of one address, with a token or without.
///
/// Make one in each test: its connections belong to the test's runtime.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// A request that is sent when it is awaited.
pub struct Call {
    request: reqwest::RequestBuilder,
}

impl Client {
    /// A client of `http://host:port`.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder()
            .timeout(REQUEST_PATIENCE)
            .pool_idle_timeout(IDLE_PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without TLS can always be built");
        Self { http, base: base.to_owned(), token: None }
    }

    /// The same client with a bearer token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same client on connections of its own: those of this one may lead to a host that has ended.
    pub fn reconnected(&self) -> Self {
        Self { token: self.token.clone(), ..Self::new(&self.base) }
    }

    /// The same client of another address.
    pub fn at(&self, base: &str) -> Self {
        Self { token: self.token.clone(), ..Self::new(base) }
    }

    /// GET.
    pub fn get(&self, path: &str) -> Call {
        self.call(reqwest::Method::GET, path)
    }

    /// POST with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(reqwest::Method::POST, path).json(body)
    }

    /// PATCH with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Call {
        self.call(reqwest::Method::PATCH, path).json(body)
    }

    /// Any method, given by name, without a body.
    pub fn request(&self, method: &str, path: &str) -> Call {
        self.call(method.parse().expect("a method"), path)
    }

    fn call(&self, method: reqwest::Method, path: &str) -> Call {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Call { request }
    }
}

impl Call {
    /// With one more header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// With an `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// With a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With these bytes as the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Sends it; the error is the connection's, for hosts that are killed in between.
    pub async fn try_send(self) -> Result<Answer, reqwest::Error> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer::new(status, headers, response.bytes().await?))
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.try_send().await.expect("an answer comes") })
    }
}
