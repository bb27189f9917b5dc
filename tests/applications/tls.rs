//! An application over TLS.

use std::{fs, io, path::Path, sync::Arc};

use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use plaza_tests::{Host, Setup, until};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

const APPLICATION: &str = "tests/spin-apps/static-response/spin.toml";

/// A folder with a certificate for `localhost`, `cert.pem`, and its key, `key.pem`.
fn certified() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    folder
}

fn setup(folder: &Path) -> Setup {
    let file = |name: &str| folder.join(name).display().to_string();
    let setup = Setup::of(APPLICATION).argument("--tls-cert").argument(&file("cert.pem"));
    setup.argument("--tls-key").argument(&file("key.pem"))
}

/// A connection that trusts the certificate, and speaks this protocol.
async fn connect(host: &Host, folder: &Path, protocol: &str) -> TlsStream<TcpStream> {
    let stream = try_connect(host, folder, protocol).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol.as_bytes()));
    stream
}

async fn try_connect(host: &Host, folder: &Path, protocol: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(folder.join("cert.pem")).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(trusted)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let stream = TcpStream::connect(address(host)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

fn address(host: &Host) -> &str {
    host.base().strip_prefix("https://").expect("it says that it speaks TLS")
}

/// The answer to one request of HTTP/1.1.
async fn ask(host: &Host, folder: &Path, path: &str) -> String {
    let mut stream = connect(host, folder, "http/1.1").await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_application_answers_over_http_1_and_2_and_knows_that_it_is_https() {
    let folder = certified();
    let host = setup(folder.path()).start();
    let answer = ask(&host, folder.path(), "/notice/a").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("Grüße\n"), "{answer}");
    let answer = ask(&host, folder.path(), "/hello/headers").await;
    assert!(answer.contains("https://localhost/hello"), "{answer}");

    let stream = TokioIo::new(connect(&host, folder.path(), "h2").await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("https://localhost/notice/b").body(Empty::<bytes::Bytes>::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "Grüße\n");
}

#[tokio::test]
async fn a_certificate_that_is_renewed_is_shown_without_a_restart_and_one_that_cannot_be_used_is_not() {
    let (folder, next) = (certified(), certified());
    let host = setup(folder.path()).argument("--header-timeout").argument("3600").start();
    let mut before = connect(&host, folder.path(), "http/1.1").await;
    let other_key = fs::read(next.path().join("key.pem")).unwrap();
    fs::write(folder.path().join("key.pem"), other_key).unwrap();
    host.stderr().line_with("a new certificate cannot be used");
    assert!(ask(&host, folder.path(), "/notice/a").await.starts_with("HTTP/1.1 200"), "the one before is shown on");

    fs::copy(next.path().join("cert.pem"), folder.path().join("cert.pem")).unwrap();
    until("the new one is shown", async || {
        let shaken = try_connect(&host, next.path(), "http/1.1").await;
        shaken.is_ok().then_some(())
    })
    .await;
    before.write_all(b"GET /notice/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    before.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "connections go on: {answer}");
}

#[tokio::test]
async fn clients_that_do_not_shake_hands_hold_nobody_up() {
    let folder = certified();
    let host = setup(folder.path()).argument("--header-timeout").argument("600").start();
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(address(&host)).await.unwrap());
    }
    assert!(ask(&host, folder.path(), "/notice/a").await.starts_with("HTTP/1.1 200"));
    for stream in &silent {
        let read = stream.try_read(&mut [0; 16]);
        assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "they are still there");
    }
}

#[tokio::test]
async fn clients_that_do_not_shake_hands_in_time_or_speak_no_tls_are_cut_off() {
    let folder = certified();
    let host = setup(folder.path()).argument("--header-timeout").argument("1").start();
    let mut silent = TcpStream::connect(address(&host)).await.unwrap();
    assert!(matches!(silent.read(&mut [0; 16]).await, Ok(0) | Err(_)));
    // Plain HTTP gets an alert of TLS at most.
    let mut plain = TcpStream::connect(address(&host)).await.unwrap();
    plain.write_all(b"GET /notice/a HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    _ = plain.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/1.1"));
}

#[test]
fn files_that_cannot_be_used_keep_the_application_from_starting() {
    let folder = certified();
    let other = certified();
    let refused = |certificate: &Path, key: &Path| {
        let file = |path: &Path| path.display().to_string();
        let setup = Setup::of(APPLICATION).argument("--tls-cert").argument(&file(certificate));
        let ended = setup.argument("--tls-key").argument(&file(key)).refused();
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        ended.stderr
    };
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    assert!(refused(&folder.path().join("none.pem"), &key).contains("cannot read a certificate"));
    assert!(refused(&key, &key).contains("cannot read a certificate"));
    assert!(refused(&certificate, &certificate).contains("cannot read a private key"));
    assert!(refused(&certificate, &other.path().join("key.pem")).contains("cannot be used with the key"));
    let alone = Setup::of(APPLICATION).argument("--tls-cert").argument("cert.pem").refused();
    assert!(alone.stderr.contains("--tls-key"), "{}", alone.stderr);
}
