//! How a registry lets one in: without a word, with name and password, or with a token that is had for them.

use std::time::{Duration, Instant};

use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::Deserialize;

use super::{
    challenge::Challenge,
    credentials::Login,
    error::RegistryError,
    refusal::{Asked, unanswered},
    web::{Insecure, beginning, body},
};
use crate::limits::{REGISTRY_TOKEN_BYTES, REGISTRY_TOKEN_TIME};

/// What is shown with each request.
#[derive(Clone)]
pub enum Access {
    /// Nothing.
    Open,
    /// Name and password.
    Basic(String, String),
    /// A token.
    Bearer {
        /// Fit for a header.
        token: String,
        /// A new one is asked for from then on.
        until: Instant,
    },
}

impl Access {
    /// Shows it.
    pub fn show(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Open => request,
            Self::Basic(name, password) => request.basic_auth(name, Some(password)),
            Self::Bearer { token, .. } => request.bearer_auth(token),
        }
    }

    /// Whether it is as good as over.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Bearer { until, .. } if *until <= Instant::now())
    }
}

/// At the door of a registry.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Over what.
    pub insecure: &'a Insecure,
    /// `host` or `host:port`.
    pub registry: &'a str,
    /// With which password.
    pub login: &'a Login,
}

/// What a token server says. Some call it the one, some the other, some both.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Door<'_> {
    fn asked(&self) -> Asked<'_> {
        Asked { registry: self.registry, helper: self.login.helper() }
    }

    /// What lets one do this: `repository:<name>:pull`. Whom a password does not let in to pull may do so without one.
    ///
    /// # Errors
    /// What the registry and its token server say.
    pub async fn open(&self, scope: &str, pulls: bool) -> Result<Access, RegistryError> {
        let pair = self.login.pair();
        match self.challenge(&self.knock(&Access::Open).await?) {
            None => Ok(Access::Open),
            Some(Challenge::Basic) => {
                Ok(pair.map_or(Access::Open, |(name, password)| Access::Basic(name.clone(), password.clone())))
            }
            Some(Challenge::Bearer { realm, service }) => {
                let token = self.token(&realm, service.as_deref(), Some(scope), pair).await;
                match token {
                    Err(RegistryError::Unauthorised { .. }) if pulls && pair.is_some() => {
                        self.token(&realm, service.as_deref(), Some(scope), None).await
                    }
                    other => other,
                }
            }
        }
    }

    /// Makes sure that the registry lets this name and password in, as `docker login` does.
    ///
    /// # Errors
    /// A wrong password, a registry that asks for none, and every other answer than a clear one.
    pub async fn try_password(&self, name: &str, password: &str) -> Result<(), RegistryError> {
        let pair = (name.to_owned(), password.to_owned());
        let first = self.knock(&Access::Open).await?;
        let access = match (first.status(), self.challenge(&first)) {
            (StatusCode::UNAUTHORIZED, Some(Challenge::Basic)) => Access::Basic(pair.0, pair.1),
            (StatusCode::UNAUTHORIZED, Some(Challenge::Bearer { realm, service })) => {
                self.token(&realm, service.as_deref(), None, Some(&pair)).await?
            }
            (StatusCode::OK, _) => {
                return Err(RegistryError::NoPassword { registry: self.registry.to_owned() });
            }
            (status, _) => return Err(self.unclear(status, first).await),
        };
        let answer = self.knock(&access).await?;
        match answer.status() {
            StatusCode::OK => Ok(()),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(self.asked().unauthorised()),
            status => Err(self.unclear(status, answer).await),
        }
    }

    async fn unclear(&self, status: StatusCode, answer: Response) -> RegistryError {
        let words = beginning(answer).await;
        self.asked().refused(format!("{} {}", status.as_u16(), String::from_utf8_lossy(&words)))
    }

    async fn knock(&self, access: &Access) -> Result<Response, RegistryError> {
        let url = format!("{}://{}/v2/", self.insecure.scheme(self.registry), self.registry);
        let request = access.show(self.client.get(url));
        request.send().await.map_err(|error| unanswered(self.registry.to_owned(), error))
    }

    fn challenge(&self, answer: &Response) -> Option<Challenge> {
        let headers = answer.headers().get_all(header::WWW_AUTHENTICATE);
        Challenge::of(headers.iter().filter_map(|header| header.to_str().ok()))
    }

    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        pair: Option<&(String, String)>,
    ) -> Result<Access, RegistryError> {
        let asked = self.asked();
        let mut url = Url::parse(realm).map_err(|_| asked.refused(format!("it has tokens at {realm:?}")))?;
        if !self.insecure.trusts(&url) {
            return Err(asked.refused(format!("it wants the password over plain HTTP, at {realm:?}")));
        }
        for (key, value) in [("service", service), ("scope", scope)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(key, value);
            }
        }
        let host = url.host_str().unwrap_or(self.registry).to_owned();
        let access = pair.map_or(Access::Open, |(name, password)| Access::Basic(name.clone(), password.clone()));
        let answer = access.show(self.client.get(url)).send().await;
        let answer = answer.map_err(|error| unanswered(host.clone(), error))?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(asked.unauthorised()),
            status => return Err(self.unclear(status, answer).await),
        }
        let text = body(answer, &host, "the token", REGISTRY_TOKEN_BYTES).await?;
        // What the parser says may show a part of the token.
        read(&text).ok_or_else(|| asked.refused(format!("{host} gives no token that can be used")))
    }
}

/// A token that is fit for a header.
fn read(text: &[u8]) -> Option<Access> {
    let Token { token, access_token, expires_in } = serde_json::from_slice(text).ok()?;
    let token = [token, access_token].into_iter().flatten().find(|token| !token.is_empty())?;
    HeaderValue::from_str(&token).ok()?;
    let time = expires_in.map_or(REGISTRY_TOKEN_TIME, Duration::from_secs);
    // It is renewed well before, since what is sent with it takes its time.
    let until = Instant::now().checked_add(time / 2)?;
    Some(Access::Bearer { token, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_fit_for_no_header_is_none() {
        for text in [
            &b"{}"[..],
            b"token",
            br#"{"token":""}"#,
            br#"{"token":"a\nb"}"#,
            br#"{"token":"a","expires_in":18446744073709551615}"#,
        ] {
            assert!(read(text).is_none(), "{}", String::from_utf8_lossy(text));
        }
        let found = read(br#"{"token":"","access_token":"abc","expires_in":300}"#);
        assert!(matches!(found, Some(Access::Bearer { token, .. }) if token == "abc"));
    }
}
