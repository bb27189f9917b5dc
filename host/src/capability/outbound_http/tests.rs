use std::{
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Grants everything to hosts in `named`; `*` to the rest.
struct Granted {
    named: &'static [&'static str],
    wildcard: bool,
}

impl Grants for Granted {
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.wildcard || self.names(scheme, host, port)
    }

    fn names(&self, _: &str, host: &str, _: u16) -> bool {
        self.named.contains(&host)
    }

    fn names_domain(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.names(scheme, host, port)
    }
}

const LOOPBACK: Granted = Granted { named: &["127.0.0.1"], wildcard: false };
const WILDCARD: Granted = Granted { named: &[], wildcard: true };

fn outbound(grants: Granted, chain: Option<Arc<dyn Chain>>) -> OutboundHttp {
    OutboundHttp::new(Arc::new(OutboundHttpSettings::new("tester".into(), Arc::new(grants), chain)))
}

async fn get(outbound: &mut OutboundHttp, url: &str, options: Option<RequestOptions>) -> Result<Response<WasiBody>> {
    let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
    let request = Request::get(url).body(body).unwrap();
    let sending = outbound.send_request(request, options, Box::new(async { Ok(()) }));
    Box::into_pin(sending).await.map(|(response, _)| response)
}

async fn text(response: Response<WasiBody>) -> Result<String> {
    Ok(String::from_utf8(response.into_body().collect().await?.to_bytes().to_vec()).unwrap())
}

/// A server that answers each request with its own text, and counts connections.
struct Mirror {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Mirror {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while let Ok(byte) = stream.read_u8().await {
                        head.push(byte);
                        if head.ends_with(b"\r\n\r\n") {
                            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", head.len());
                            stream.write_all(answer.as_bytes()).await.unwrap();
                            stream.write_all(&std::mem::take(&mut head)).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { address, connections }
    }

    fn url(&self) -> String {
        format!("http://{}/path?query=1", self.address)
    }
}

/// A server that answers with `answer` and then sends nothing more, keeping the connection open.
async fn silent_after(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        let mut ignored = Vec::new();
        let _ = stream.read_to_end(&mut ignored).await;
    });
    url
}

fn brief() -> Option<RequestOptions> {
    let short = Some(Duration::from_millis(50));
    Some(RequestOptions { connect_timeout: None, first_byte_timeout: short, between_bytes_timeout: short })
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied() {
    let mut outbound = outbound(LOOPBACK, None);
    let error = get(&mut outbound, "http://example.com/", None).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied), "{error}");
}

#[tokio::test]
async fn a_wildcard_does_not_grant_this_machine() {
    let mirror = Mirror::start().await;
    let mut outbound = outbound(WILDCARD, None);
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}/", mirror.address.port());
        let error = get(&mut outbound, &url, None).await.unwrap_err();
        assert!(matches!(error, Error::DestinationIpProhibited), "{host}: {error}");
    }
    assert_eq!(mirror.connections.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn connections_are_used_again() {
    let mirror = Mirror::start().await;
    let mut outbound = outbound(LOOPBACK, None);
    for _ in 0..5 {
        let response = get(&mut outbound, &mirror.url(), None).await.unwrap();
        assert!(text(response).await.unwrap().starts_with("GET /path?query=1 HTTP/1.1\r\n"));
    }
    assert_eq!(mirror.connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn the_traceparent_goes_along() {
    let mirror = Mirror::start().await;
    let mut outbound = outbound(LOOPBACK, None);
    outbound.set_traceparent(Some("00-trace".into()));
    let seen = text(get(&mut outbound, &mirror.url(), None).await.unwrap()).await.unwrap();
    assert!(seen.contains("traceparent: 00-trace\r\n"), "{seen}");
}

#[tokio::test]
async fn a_refused_connection_is_told_as_one() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = get(&mut outbound(LOOPBACK, None), &format!("http://{closed}/"), None).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionRefused), "{error}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_in_time() {
    let url = silent_after("").await;
    let options = brief().map(|options| RequestOptions { connect_timeout: options.first_byte_timeout, ..options });
    let error = get(&mut outbound(LOOPBACK, None), &url, options).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
}

#[tokio::test]
async fn a_body_that_stops_ends_in_time() {
    let url = silent_after("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf").await;
    // The head may take its time.
    let options = brief().map(|options| RequestOptions { first_byte_timeout: None, ..options });
    let response = get(&mut outbound(LOOPBACK, None), &url, options).await.unwrap();
    let error = text(response).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionReadTimeout), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_not_http_is_told_as_one() {
    let url = silent_after("SSH-2.0-OpenSSH\r\n").await;
    let error = get(&mut outbound(LOOPBACK, None), &url, None).await.unwrap_err();
    assert!(matches!(error, Error::HttpProtocolError), "{error}");
}

/// Answers with the target's name.
struct Named;

#[async_trait::async_trait]
impl Chain for Named {
    async fn call(&self, target: ChainTarget, _: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let body = http_body_util::Full::new(Bytes::from(format!("{target:?}")));
        Ok(Response::new(body.map_err(|never| match never {}).boxed_unsync()))
    }
}

#[tokio::test]
async fn a_request_to_the_application_is_chained() {
    let grants = Granted { named: &["self", "users.spin.internal"], wildcard: false };
    let mut chained = outbound(grants, Some(Arc::new(Named)));
    let itself = get(&mut chained, "http://self/x", None).await.unwrap();
    assert_eq!(text(itself).await.unwrap(), "Itself");
    let users = get(&mut chained, "http://users.spin.internal/x", None).await.unwrap();
    assert_eq!(text(users).await.unwrap(), "Component(\"users\")");
    let other = get(&mut chained, "http://orders.spin.internal/x", None).await.unwrap_err();
    assert!(matches!(other, Error::HttpRequestDenied));
}

#[tokio::test]
async fn who_may_call_every_host_may_ask_the_routes_and_no_component_by_its_name() {
    let mut chained = outbound(WILDCARD, Some(Arc::new(Named)));
    assert!(get(&mut chained, "http://self/x", None).await.is_ok());
    let refused = get(&mut chained, "http://users.spin.internal/x", None).await.unwrap_err();
    assert!(matches!(refused, Error::HttpRequestDenied), "{refused:?}");
}

#[tokio::test]
async fn without_a_chain_a_request_to_the_application_is_refused() {
    let grants = Granted { named: &["self"], wildcard: false };
    let error = get(&mut outbound(grants, None), "http://self/x", None).await.unwrap_err();
    assert!(matches!(error, Error::HttpRequestDenied));
}
