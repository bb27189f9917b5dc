//! One request and its answer.

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use spin_sdk::http::{EmptyBody, FullBody, OptionalBody};

use super::answer::{self, Answer};
use super::form::{self, Form};
use crate::domain::ports::Refusal;

/// The version of Stripe's API that this component was written for.
const API_VERSION: &str = "2025-09-30.clover";
/// Who asks.
const USER_AGENT: &str = concat!("plaza-payment-stripe/", env!("CARGO_PKG_VERSION"));
/// The largest answer that is read. A list of a hundred refunds has a tenth of it.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// Where Stripe is, and as whom it is asked.
#[derive(Clone)]
pub struct Api {
    /// `https://api.stripe.com`
    pub url: String,
    /// The account's secret key.
    pub secret_key: String,
}

/// A key is as good as money: no log shall ever show one.
impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Api({})", self.url)
    }
}

/// A request, in terms of Stripe.
#[derive(Debug)]
pub(super) struct Request {
    path: String,
    form: Option<Form>,
    idempotency_key: Option<String>,
}

impl Request {
    /// A question that changes nothing.
    pub fn get(path: impl Into<String>) -> Self {
        Self { path: path.into(), form: None, idempotency_key: None }
    }

    /// A request with parameters.
    pub fn post(path: impl Into<String>, form: Form) -> Self {
        Self { path: path.into(), form: Some(form), idempotency_key: None }
    }

    /// To be done once, however often it is sent with this key.
    pub fn once(self, idempotency_key: String) -> Self {
        Self { idempotency_key: Some(idempotency_key), ..self }
    }
}

impl Api {
    /// What Stripe answers. How long that may take is the caller's matter.
    pub(super) async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, Refusal> {
        answer::read(&self.exchange(request).await?)
    }

    async fn exchange(&self, request: Request) -> Result<Answer, Refusal> {
        let response = spin_sdk::http::send(self.written(request)?).await;
        let response = response.map_err(|error| no_answer(format!("Stripe does not answer: {error:?}")))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| no_answer(format!("Stripe's answer broke off: {error}")))?;
        Ok(Answer {
            status: head.status.as_u16(),
            replayed: text(&head.headers, "idempotent-replayed") == "true",
            request: text(&head.headers, "request-id").to_owned(),
            body: body.to_bytes().to_vec(),
        })
    }

    fn written(&self, request: Request) -> Result<http::Request<OptionalBody<Bytes>>, Refusal> {
        let uri = format!("{}{}", self.url.trim_end_matches('/'), request.path);
        let mut builder = http::Request::builder()
            .method(if request.form.is_some() { "POST" } else { "GET" })
            .uri(uri)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret_key))
            .header(header::USER_AGENT, USER_AGENT)
            .header("stripe-version", API_VERSION);
        if let Some(key) = request.idempotency_key {
            builder = builder.header("idempotency-key", key);
        }
        let body = match request.form {
            None => OptionalBody::Right(EmptyBody::new()),
            Some(form) => {
                builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
                OptionalBody::Left(FullBody::new(Bytes::from(form::encode(&form))))
            }
        };
        let unwritable = |_| no_answer("stripe_api_url is no address, or stripe_secret_key no key".to_owned());
        builder.body(body).map_err(unwritable)
    }
}

fn no_answer(why: String) -> Refusal {
    Refusal::NoAnswer(why)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
