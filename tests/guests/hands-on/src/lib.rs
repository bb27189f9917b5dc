//! Hands its request on, method and body, to `?to=URL`, and answers what it got: the status and the body, or the error. It says of
//! the request that it came from elsewhere, and of the answer its type alone. What stands before `to` has it act otherwise:
//!
//! - `pause=MS` waits before it asks, `within=MS` for the answer no longer than that;
//! - `bare` says nothing of the body's length;
//! - `held` asks once its own request's body has ended, without one;
//! - `head` asks for the head alone, and answers how many bytes came behind it;
//! - `later=MS` begins its answer at once, and asks so long after for what the rest of it is;
//! - `left=MS` answers at once, and asks so long after.
//!
//! `?between=ONE,OTHER` answers at once, and then asks ONE to go on so with OTHER. `?trap` traps.

#![cfg(target_family = "wasm")]

use std::time::Duration;

use futures::SinkExt;
use spin_sdk::{
    http::{
        self, EmptyBody, HeaderName, HeaderValue, IntoResponse, Method, Request, StatusCode, body,
        body::IncomingBodyExt,
    },
    http_service, time,
    wasip3::{self, http::types::RequestOptions, http_compat::RequestOptionsExtension},
};

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    if query == "trap" {
        core::arch::wasm32::unreachable();
    }
    if let Some((one, other)) = query.strip_prefix("between=").and_then(|names| names.split_once(',')) {
        let next = format!("http://{one}.spin.internal/?between={other},{one}");
        wasip3::spawn(async move {
            time::sleep(Duration::from_millis(10)).await;
            _ = http::get(&next).await;
        });
        return Ok((StatusCode::OK, "begun".to_owned()).into_response()?);
    }
    let (before, to) = query.split_once("to=").unwrap_or(("", "http://self/"));
    let (before, to) = (before.trim_end_matches('&'), to.to_owned());
    let milliseconds = |name: &str| -> Option<u64> { before.strip_prefix(name)?.parse().ok() };
    if let Some(later) = milliseconds("later=") {
        let (mut sender, body) = body::stream::<String>();
        wasip3::spawn(async move {
            time::sleep(Duration::from_millis(later)).await;
            _ = sender.send(text_of(&to).await).await;
        });
        return Ok((StatusCode::OK, body).into_response()?);
    }
    if let Some(left) = milliseconds("left=") {
        wasip3::spawn(async move {
            time::sleep(Duration::from_millis(left)).await;
            _ = http::get(&to).await;
        });
        return Ok((StatusCode::OK, "begun".to_owned()).into_response()?);
    }
    if before == "head" {
        let head = http::Request::builder().method(Method::HEAD).uri(&to).body(EmptyBody::new())?;
        let response = http::send(head).await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let come = response.into_body().bytes().await.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        return Ok((StatusCode::OK, format!("{} bytes", come.len())).into_response()?);
    }
    if before == "held" {
        _ = request.into_body().bytes().await;
        return Ok((StatusCode::OK, text_of(&to).await).into_response()?);
    }
    if let Some(pause) = milliseconds("pause=") {
        time::sleep(Duration::from_millis(pause)).await;
    }
    Ok(match http::send(handed_on(request, &to, milliseconds("within="), before == "bare")?).await {
        Ok(response) => {
            let (mut parts, body) = response.into_parts();
            let kind = parts.headers.remove("content-type");
            parts.headers.clear();
            parts.headers.extend(kind.map(|kind| (CONTENT_TYPE, kind)));
            http::Response::from_parts(parts, body).into_response()?
        }
        Err(error) => (StatusCode::OK, format!("error {error:?}")).into_response()?,
    })
}

/// What is answered to a GET, or the error.
async fn text_of(url: &str) -> String {
    let answer = match http::get(url).await {
        Ok(response) => response.into_body().bytes().await.map_err(|error| format!("error {error:?}")),
        Err(error) => Err(format!("error {error:?}")),
    };
    answer.map_or_else(|error| error, |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn handed_on(request: Request, to: &str, within: Option<u64>, is_bare: bool) -> anyhow::Result<Request> {
    let (mut parts, body) = request.into_parts();
    parts.uri = to.parse()?;
    parts.extensions.clear();
    if let Some(within) = within {
        let options = RequestOptions::new();
        _ = options.set_first_byte_timeout(Some(within * 1_000_000));
        parts.extensions.insert(RequestOptionsExtension(options));
    }
    parts.headers.remove("host");
    if is_bare {
        parts.headers.remove("content-length");
    }
    for name in ["x-forwarded-for", "forwarded", "spin-client-addr"] {
        parts.headers.insert(name, HeaderValue::from_static("203.0.113.9"));
    }
    Ok(Request::from_parts(parts, body))
}
