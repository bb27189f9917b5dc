//! TCP and UDP, to the addresses that the manifest grants.

use plaza_tests::{Host, Setup, manifest::Manifest};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, UdpSocket},
};

/// A component with these grants.
fn granted(entries: &[String]) -> (Host, Manifest) {
    let text = format!(
        r#"spin_manifest_version = 2
[application]
name = "sockets"
[[trigger.http]]
route = "/..."
component = "dials"
[component.dials]
source = "target/wasm32-wasip2/release/looks_about.wasm"
allowed_outbound_hosts = {entries:?}
"#
    );
    let manifest = Manifest::of_text(&text);
    (Setup::of(manifest.path()).start(), manifest)
}

async fn ask(host: &Host, path: &str) -> String {
    host.client().get(path).await.expect(200).text()
}

/// A port of this machine on which each line is answered with the same in capitals.
async fn in_capitals() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (mut stream, mut line) = (BufReader::new(stream), String::new());
            if stream.read_line(&mut line).await.is_ok() {
                _ = stream.write_all(line.to_uppercase().as_bytes()).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn a_component_talks_to_an_address_that_is_granted_by_tcp_and_to_no_other() {
    let (port, other) = (in_capitals().await, in_capitals().await);
    let (host, _manifest) = granted(&[format!("tcp://127.0.0.1:{port}")]);
    assert_eq!(ask(&host, &format!("/say?to=127.0.0.1:{port}")).await, "HELLO\n");
    assert_eq!(ask(&host, &format!("/connect-anew?to={port}")).await, "connected");
    let refused = ask(&host, &format!("/connect?to=127.0.0.1:{other}")).await;
    assert!(refused.starts_with("error"), "{refused}");
    assert_eq!(ask(&host, &format!("/connect-anew?to={other}")).await, "error ErrorCode::AccessDenied");
    let refused = ask(&host, &format!("/send?to=127.0.0.1:{port}")).await;
    assert!(refused.starts_with("error"), "by another scheme: {refused}");
}

#[tokio::test]
async fn a_block_of_addresses_and_any_scheme_grant_sockets_too() {
    let port = in_capitals().await;
    let (host, _manifest) = granted(&[format!("*://127.0.0.0/24:{port}")]);
    assert_eq!(ask(&host, &format!("/say?to=127.0.0.1:{port}")).await, "HELLO\n");
}

#[tokio::test]
async fn a_datagram_goes_to_whom_is_granted_by_udp_and_its_answer_comes_back() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut datagram = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            _ = socket.send_to(&datagram[..length].to_ascii_uppercase(), from).await;
        }
    });
    let (host, _manifest) = granted(&[format!("udp://127.0.0.1:{port}")]);
    assert_eq!(ask(&host, &format!("/send?to=127.0.0.1:{port}")).await, "HELLO");
    let refused = ask(&host, &format!("/connect?to=127.0.0.1:{port}")).await;
    assert!(refused.starts_with("error"), "by another scheme: {refused}");
}

#[tokio::test]
async fn an_instance_has_so_many_sockets_open_and_closed_ones_make_room() {
    let (host, _manifest) = granted(&["udp://127.0.0.1:9".to_owned()]);
    for _ in 0..3 {
        assert_eq!(ask(&host, "/hoard?count=100").await, "64");
    }
}

#[tokio::test]
async fn nobody_listens_whatever_is_granted() {
    let (host, _manifest) = granted(&["*://*:*".to_owned()]);
    let refused = ask(&host, "/listen?on=127.0.0.1:0").await;
    assert!(refused.starts_with("error"), "{refused}");
}

#[tokio::test]
async fn names_are_looked_up_by_who_may_connect_to_every_host_and_by_nobody_else() {
    let port = in_capitals().await;
    let (host, _manifest) = granted(&["tcp://*:*".to_owned()]);
    assert_eq!(ask(&host, &format!("/say?to=localhost:{port}")).await, "HELLO\n");
    let (host, _manifest) = granted(&[format!("tcp://localhost:{port}")]);
    let refused = ask(&host, &format!("/say?to=localhost:{port}")).await;
    assert!(refused.starts_with("error"), "{refused}");
}
