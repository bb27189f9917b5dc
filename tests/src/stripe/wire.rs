//! Connections: accepted, answered, or ended in the middle.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, mpsc},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, time::sleep};

use super::{Account, Fault, Request, answer::Answer};

/// The connection ends without an answer.
#[derive(Debug)]
struct HungUp;

impl std::fmt::Display for HungUp {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("hung up")
    }
}

impl std::error::Error for HungUp {}

/// Serves an account on a thread of its own, which outlives the runtime of any test.
pub fn serve(account: Arc<Mutex<Account>>) -> SocketAddr {
    let (tell, address) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody waits for it");
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let account = account.clone();
                let service = service_fn(move |request| {
                    // A task of its own: what was begun is done, though its client may have gone.
                    let answering = tokio::spawn(answer(account.clone(), request));
                    async move { answering.await.expect("no stand-in panics") }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    address.recv().expect("the stand-in serves")
}

async fn answer(
    account: Arc<Mutex<Account>>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, HungUp> {
    let with = |act: &mut dyn FnMut(&mut Account)| act(&mut account.lock().unwrap_or_else(PoisonError::into_inner));
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| HungUp)?.to_bytes();
    let request = match Request::read(&head, &body) {
        Ok(request) => request,
        Err(answer) => return Ok(written(&answer)),
    };
    let (mut fault, mut known) = (None, None);
    with(&mut |account| {
        let payment = account.payment_of(&request);
        account.requests.push((payment, request.clone()));
        known = account.known(&request);
        if known.is_none() {
            fault = account.faults.take(payment, request.step);
            if !matches!(fault, Some(Fault::Down | Fault::Limited | Fault::Unheard)) {
                account.begin(&request);
            }
        }
    });
    if let Some(answer) = known {
        return Ok(written(&answer));
    }
    match fault {
        Some(Fault::Down) => return Ok(written(&Answer::failed(503))),
        Some(Fault::Limited) => return Ok(written(&Answer::invalid(429, "rate_limit", "", "Too many requests"))),
        Some(Fault::Unheard) => return Err(HungUp),
        Some(Fault::Slow(time)) => sleep(time).await,
        _ => {}
    }
    let mut done = Answer::failed(500);
    with(&mut |account| {
        let answer = if fault == Some(Fault::Failed) { Answer::failed(500) } else { account.act(&request) };
        done = if fault == Some(Fault::FailedAfter) { Answer::failed(500) } else { answer };
        account.end(&request, &done);
    });
    match fault {
        Some(Fault::Lost) => Err(HungUp),
        Some(Fault::Garbled) => Ok(response(200, "<html>It works!</html>", false)),
        Some(Fault::Late(time)) => {
            sleep(time).await;
            Ok(written(&done))
        }
        _ => Ok(written(&done)),
    }
}

fn written(answer: &Answer) -> Response<Full<Bytes>> {
    response(answer.status, &answer.body.to_string(), answer.replayed)
}

fn response(status: u16, body: &str, replayed: bool) -> Response<Full<Bytes>> {
    let mut builder = Response::builder().status(status).header("request-id", "req_of_the_tests");
    builder = builder.header("content-type", "application/json");
    if replayed {
        builder = builder.header("idempotent-replayed", "true");
    }
    builder.body(Full::new(Bytes::copy_from_slice(body.as_bytes()))).expect("a response")
}
