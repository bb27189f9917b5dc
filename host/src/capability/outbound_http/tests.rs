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
use crate::{blocked_networks::BlockedNetworks, limits::OUTBOUND_CONNECT_TIMEOUT};

/// Grants everything to hosts in `named`; `*` to the rest.
struct Granted {
    named: &'static [&'static str],
    wildcard: bool,
}

impl Grants for Granted {
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.wildcard || self.names_domain(scheme, host, port)
    }

    fn allows_self(&self) -> bool {
        self.wildcard || self.named.contains(&"self")
    }

    fn names_domain(&self, _: &str, host: &str, _: u16) -> bool {
        self.named.contains(&host)
    }
}

const LOOPBACK: Granted = Granted { named: &["127.0.0.1"], wildcard: false };
const WILDCARD: Granted = Granted { named: &[], wildcard: true };

fn outbound(grants: Granted, chain: Option<Arc<dyn Chain>>) -> OutboundHttp {
    outbound_but(&[], grants, chain)
}

/// The same, but for these networks.
fn outbound_but(networks: &[&str], grants: Granted, chain: Option<Arc<dyn Chain>>) -> OutboundHttp {
    let mut blocked = BlockedNetworks::default();
    assert!(networks.iter().all(|network| blocked.add(network)));
    OutboundHttp::new(Arc::new(OutboundHttpSettings::new("tester".into(), Arc::new(grants), blocked.into(), chain)))
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
async fn a_wildcard_grants_this_machine_as_under_spin() {
    let mirror = Mirror::start().await;
    let mut outbound = outbound(WILDCARD, None);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", mirror.address.port());
        assert!(get(&mut outbound, &url, None).await.is_ok(), "{host}");
    }
}

#[tokio::test]
async fn what_leads_into_a_blocked_network_is_prohibited_whatever_grants_it() {
    let mirror = Mirror::start().await;
    let granted = || Granted { named: &["127.0.0.1", "localhost", "::ffff:127.0.0.1"], wildcard: false };
    for networks in [&["private"][..], &["1.1.1.1/32", "127.0.0.0/8", "::1/128"]] {
        for grants in [WILDCARD, granted()] {
            let mut outbound = outbound_but(networks, grants, None);
            for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
                let url = format!("http://{host}:{}/", mirror.address.port());
                let error = get(&mut outbound, &url, None).await.unwrap_err();
                assert!(matches!(error, Error::DestinationIpProhibited), "{host}: {error}");
            }
        }
    }
    assert_eq!(mirror.connections.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn what_stays_within_the_application_is_blocked_by_no_network() {
    let grants = Granted { named: &["users.spin.internal"], wildcard: false };
    let mut chained = outbound_but(&["0.0.0.0/0", "::/0", "private"], grants, Some(Arc::new(Named)));
    assert!(get(&mut chained, "http://users.spin.internal/x", None).await.is_ok());
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
    // For the connection there would be more time.
    let mut outbound = outbound(LOOPBACK, None);
    let asked = tokio::time::timeout(OUTBOUND_CONNECT_TIMEOUT / 2, get(&mut outbound, &url, brief()));
    let error = asked.await.expect("its own time").unwrap_err();
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

/// Answers one component never, and the others with a body that never ends.
struct Slow;

#[async_trait::async_trait]
impl Chain for Slow {
    async fn call(&self, target: ChainTarget, _: Request<WasiBody>) -> Result<Response<WasiBody>> {
        if target == ChainTarget::Itself {
            std::future::pending::<()>().await;
        }
        let body = http_body_util::StreamBody::new(futures::stream::pending::<Result<http_body::Frame<Bytes>>>());
        Ok(Response::new(body.boxed_unsync()))
    }
}

#[tokio::test]
async fn a_chained_request_keeps_to_the_times_that_its_guest_sets() {
    let grants = Granted { named: &["self", "users.spin.internal"], wildcard: false };
    let mut chained = outbound(grants, Some(Arc::new(Slow)));
    let head = get(&mut chained, "http://self/x", brief()).await.unwrap_err();
    assert!(matches!(head, Error::ConnectionReadTimeout), "{head}");
    let begun = get(&mut chained, "http://users.spin.internal/x", brief()).await.unwrap();
    let body = text(begun).await.unwrap_err();
    assert!(matches!(body, Error::ConnectionReadTimeout), "{body}");
}

#[tokio::test]
async fn only_so_many_chained_requests_are_under_way_at_once() {
    let grants = Granted { named: &["users.spin.internal"], wildcard: false };
    let mut chained = outbound(grants, Some(Arc::new(Slow)));
    let mut begun = Vec::new();
    for _ in 0..crate::limits::OUTBOUND_REQUESTS {
        begun.push(get(&mut chained, "http://users.spin.internal/x", None).await.unwrap());
    }
    let options = brief().map(|options| RequestOptions { connect_timeout: options.first_byte_timeout, ..options });
    let further = get(&mut chained, "http://users.spin.internal/x", options).await.unwrap_err();
    assert!(matches!(further, Error::ConnectionLimitReached), "{further}");
    begun.pop();
    assert!(get(&mut chained, "http://users.spin.internal/x", options).await.is_ok());
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

/// Answers with what it is sent, or with the word that it broke off.
struct Reading;

#[async_trait::async_trait]
impl Chain for Reading {
    async fn call(&self, _: ChainTarget, request: Request<WasiBody>) -> Result<Response<WasiBody>> {
        let read = request.into_body().collect().await;
        let body = http_body_util::Full::new(read.map_or_else(|_| Bytes::from("broken off"), |read| read.to_bytes()));
        Ok(Response::new(body.map_err(|never| match never {}).boxed_unsync()))
    }
}

#[tokio::test]
async fn a_body_is_not_whole_whose_sender_is_cut_off_and_is_where_it_ends_in_order() {
    let grants = || Granted { named: &["self"], wildcard: false };
    for (is_cut_off, expected) in [(true, "broken off"), (false, "half of it")] {
        let mut chained = outbound(grants(), Some(Arc::new(Reading)));
        let sender = chained.sender();
        let half = futures::stream::once(async { Ok(http_body::Frame::data(Bytes::from("half of it"))) });
        let end = futures::stream::poll_fn(move |_| {
            if is_cut_off {
                sender.cut_off();
            }
            std::task::Poll::Ready(None)
        });
        let body = http_body_util::StreamBody::new(futures::StreamExt::chain(half, end)).boxed_unsync();
        let request = Request::post("http://self/x").body(body).unwrap();
        let sending = Box::into_pin(chained.send_request(request, None, Box::new(async { Ok(()) })));
        assert_eq!(text(sending.await.unwrap().0).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn what_a_request_was_sent_for_is_kept_no_longer_than_the_request() {
    let mirror = Mirror::start().await;
    let mut outbound = outbound(LOOPBACK, None);
    let sent_for = Arc::new(7);
    let kept = Arc::downgrade(&sent_for);
    outbound.set_on_behalf_of(Some(OnBehalfOf(sent_for)));
    text(get(&mut outbound, &mirror.url(), None).await.unwrap()).await.unwrap();
    assert!(kept.upgrade().is_none());
}
