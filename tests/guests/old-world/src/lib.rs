//! A component of WASI 0.2: `/` answers a text, `/echo` the request's body, `/print?line=…` prints and answers the line,
//! `/get?url=…` answers the status of a request it sends, `/count` how many requests its instance has had, `/panic` begins its answer with `first` and panics.

#![cfg(target_family = "wasm")]

use std::{
    io::Write,
    sync::atomic::{AtomicU32, Ordering},
};

use wasi::{
    exports::http::incoming_handler::Guest,
    http::{
        outgoing_handler,
        types::{
            Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingRequest, OutgoingResponse,
            ResponseOutparam, Scheme,
        },
    },
    io::streams::{OutputStream, StreamError},
};

static REQUESTS: AtomicU32 = AtomicU32::new(0);

struct OldWorld;

wasi::http::proxy::export!(OldWorld);

impl Guest for OldWorld {
    fn handle(request: IncomingRequest, outparam: ResponseOutparam) {
        let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
        let target = request.path_with_query().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let response = OutgoingResponse::new(Fields::new());
        let Ok(body) = response.body() else { return };
        let text = match path.rsplit('/').next() {
            Some("get") => Some(get(query.strip_prefix("url=").unwrap_or_default())),
            Some("print") => Some(print(query.strip_prefix("line=").unwrap_or_default())),
            Some("count") => Some(count.to_string()),
            Some("echo") => None,
            Some("panic") => Some("first".to_owned()),
            _ => Some("hello from WASI 0.2".to_owned()),
        };
        ResponseOutparam::set(outparam, Ok(response));
        let Ok(mut output) = body.write() else { return };
        match text {
            Some(text) => drop(output.write_all(text.as_bytes())),
            None => drop(echo(request, &output)),
        }
        if path.ends_with("/panic") {
            _ = output.blocking_flush();
            std::thread::sleep(std::time::Duration::from_millis(100));
            panic!("the test asked for a panic in the middle of an answer");
        }
        drop(output);
        drop(OutgoingBody::finish(body, None));
    }
}

fn echo(request: IncomingRequest, output: &OutputStream) -> Result<(), StreamError> {
    let Ok(body) = request.consume() else {
        return Ok(());
    };
    if let Ok(input) = body.stream() {
        loop {
            match output.blocking_splice(&input, 64 * 1024) {
                Ok(_) => {}
                Err(StreamError::Closed) => break,
                Err(error) => return Err(error),
            }
        }
    }
    drop(IncomingBody::finish(body));
    output.blocking_flush()
}

fn print(line: &str) -> String {
    println!("{line}");
    eprintln!("{line}");
    line.to_owned()
}

fn get(url: &str) -> String {
    match send(url) {
        Ok(status) => format!("status {status}"),
        Err(error) => format!("error {error}"),
    }
}

fn send(url: &str) -> Result<u16, String> {
    let rest = url.strip_prefix("http://").ok_or("only http:// is understood")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let request = OutgoingRequest::new(Fields::new());
    let refused = |()| "a part of the request was refused".to_owned();
    request.set_method(&Method::Get).map_err(refused)?;
    request.set_scheme(Some(&Scheme::Http)).map_err(refused)?;
    request.set_authority(Some(authority)).map_err(refused)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(refused)?;
    let response = outgoing_handler::handle(request, None).map_err(|error| format!("{error:?}"))?;
    response.subscribe().block();
    match response.get() {
        Some(Ok(Ok(response))) => Ok(response.status()),
        Some(Ok(Err(error))) => Err(format!("{error:?}")),
        _ => Err("the answer was taken already".to_owned()),
    }
}
