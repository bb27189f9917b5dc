//! One request and its answer.

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Limited};
use spin_sdk::http::FullBody;
use spin_sdk::wasip3::http::types::ErrorCode;

use super::address::Address;
use crate::domain::failure::Failure;
use crate::domain::question::Question;

/// The largest answer that is read. A reservation of a hundred lines has a hundredth of it.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Sends a question and reads the answer.
pub(super) async fn send(address: &Address, question: &Question) -> Result<Vec<u8>, Failure> {
    let response = spin_sdk::http::send(written(address, question)?).await.map_err(unsent)?;
    let (head, body) = response.into_parts();
    if head.status != http::StatusCode::OK {
        return Err(Failure::of_status(head.status.as_u16()));
    }
    let body = Limited::new(body, ANSWER_MAX_BYTES).collect().await;
    let body = body.map_err(|error| Failure::Silent(format!("the answer broke off: {error}")))?;
    Ok(body.to_bytes().to_vec())
}

fn written(address: &Address, question: &Question) -> Result<Request<FullBody<Bytes>>, Failure> {
    let Address { base, component, token } = address;
    Request::post(format!("{base}/internal/{component}/{}", question.function))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(FullBody::new(Bytes::from(question.arguments.clone())))
        // The error could repeat the token, so it is not told.
        .map_err(|_| Failure::Unset(format!("`{base}` is no base address, or the service token no token")))
}

fn unsent(error: ErrorCode) -> Failure {
    let why = format!("{error:?}");
    match error {
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => Failure::Unreached(why),
        ErrorCode::HttpRequestDenied => {
            Failure::Unset("its address is not among the allowed_outbound_hosts".to_owned())
        }
        _ => Failure::Silent(why),
    }
}
