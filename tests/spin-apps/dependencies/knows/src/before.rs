//! A request in the way of WASI 0.2.

use wasi::http::{
    outgoing_handler,
    types::{Fields, Method, OutgoingBody, OutgoingRequest, RequestOptions, Scheme},
};

/// The status of the answer to so many bytes.
pub fn post(url: &str, bytes: u32) -> Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or("only http:// is understood")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let refused = |()| "a part of the request was refused".to_owned();
    request.set_method(&Method::Post).map_err(refused)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(refused)?;
    let options = RequestOptions::new();
    options.set_first_byte_timeout(Some(20_000_000_000)).map_err(refused)?;
    let body = request.body().map_err(refused)?;
    let sent = outgoing_handler::handle(request, Some(options));
    write(&body, bytes);
    drop(OutgoingBody::finish(body, None));
    let response = sent.map_err(|error| format!("{error:?}"))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(response.status()),
        Some(Ok(Err(error))) => Err(format!("{error:?}")),
        _ => Err("the answer was taken already".to_owned()),
    }
}

fn write(body: &OutgoingBody, bytes: u32) {
    let Ok(output) = body.write() else { return };
    let piece = [0; 4096];
    for _ in 0..bytes.div_ceil(4096) {
        if output.blocking_write_and_flush(&piece).is_err() {
            return;
        }
    }
}
