//! Capabilities as real guests use them.
//!
//! Needs the guests: cargo build --release --target wasm32-wasip2 -p hello -p old-world -p reads-file
//! -p calls-forbidden-host -p floods-output

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod host;
mod log;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::future::join_all;
use host::{Given, Served};
use log::Collected;
use plaza::{capability::files::Mount, limits::LOG_BYTES_PER_SECOND};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// What `guest` prints when fifty requests ask it at once.
fn printed(guest: &str) -> Vec<log::Line> {
    let collected = Collected::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(collected.clone(), || {
        runtime.block_on(async {
            let guest = Served::new(guest, Given::default());
            let ids: Vec<String> = (0..50).map(|number| format!("id-{number}")).collect();
            let paths: Vec<String> = ids.iter().map(|id| format!("/print?line={id}")).collect();
            let answers = join_all(ids.iter().zip(&paths).map(|(id, path)| guest.get(id, path))).await;
            assert_eq!(answers, ids);
        });
    });
    let lines = collected.0.lock().unwrap();
    lines.clone()
}

fn assert_named_by_request(lines: &[log::Line]) {
    for line in lines {
        assert_eq!(line.request, line.message, "{} line", line.stream);
    }
    let of = |stream| lines.iter().filter(|line| line.stream == stream).count();
    assert_eq!((of("stdout"), of("stderr")), (50, 50));
}

#[test]
fn lines_are_logged_under_the_request_that_printed_them() {
    assert_named_by_request(&printed("hello"));
}

#[test]
fn lines_of_a_component_of_wasi_0_2_are_logged_under_the_request_too() {
    assert_named_by_request(&printed("old-world"));
}

#[test]
fn a_flood_of_output_is_logged_in_part_and_the_rest_is_told() {
    let collected = Collected::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let told = || collected.0.lock().unwrap().iter().filter(|line| line.message.contains("were dropped")).count();
    tracing::subscriber::with_default(collected.clone(), || {
        let guest = Served::new("floods-output", Given::default());
        for path in ["/lines?mib=1", "/line?mib=1", "/empty?mib=1"].iter().cycle() {
            let answer = runtime.block_on(guest.get("1", path));
            assert!(answer.starts_with("printed"), "{answer}");
            // What was dropped in one second is told by the first line of the next.
            if told() > 0 {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "nothing was told");
        }
    });
    let logged: usize = collected.0.lock().unwrap().iter().map(|line| line.message.len()).sum();
    let seconds = start.elapsed().as_secs() as usize + 2;
    assert!(logged > 0 && logged <= seconds * LOG_BYTES_PER_SECOND, "{logged} bytes");
    assert!(told() <= seconds, "told {} times", told());
}

#[tokio::test]
async fn a_guest_reads_the_variables_it_is_given_and_no_others() {
    let variables = BTreeMap::from([("greeting".to_owned(), "good day".to_owned())]);
    let guest = Served::new("hello", Given { variables, ..Given::default() });
    assert_eq!(guest.get("1", "/variable?name=greeting").await, "good day");
    assert_eq!(guest.get("2", "/variable?name=other").await, "error Error::Undefined(\"other\")");
    assert_eq!(guest.get("3", "/variable?name=Other").await, "error Error::InvalidName(\"Other\")");
}

#[tokio::test]
async fn a_guest_reads_the_files_it_is_given_and_changes_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("shown")).unwrap();
    fs::write(folder.path().join("shown/a.txt"), "shown").unwrap();
    fs::write(folder.path().join("secret.txt"), "secret").unwrap();
    let mounts = vec![Mount { host: folder.path().join("shown"), guest: "/given".to_owned() }];
    let guest = Served::new("reads-file", Given { mounts, ..Given::default() });

    assert_eq!(guest.get("1", "/read?path=/given/a.txt").await, "shown");
    for path in ["/given/../secret.txt", "/etc/passwd", "secret.txt"] {
        let answer = guest.get("2", &format!("/read?path={path}")).await;
        assert!(answer.starts_with("error"), "{path}: {answer}");
    }
    let written = guest.get("3", "/write?path=/given/a.txt").await;
    assert!(written.starts_with("error"), "{written}");
    assert_eq!(fs::read_to_string(folder.path().join("shown/a.txt")).unwrap(), "shown");
}

/// A server that knows whom a request is for: it answers 204 where the path is the traceparent, else 400.
async fn trace_reader() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut request = String::new();
                while let Ok(byte) = stream.read_u8().await {
                    request.push(byte.into());
                    if request.ends_with("\r\n\r\n") {
                        stream.write_all(answer(&request).as_bytes()).await.unwrap();
                        request.clear();
                    }
                }
            });
        }
    });
    address
}

fn answer(request: &str) -> &'static str {
    let path = request.split(' ').nth(1).unwrap().trim_start_matches('/');
    let named = request.to_ascii_lowercase().contains(&format!("traceparent: {path}\r\n"));
    if named { "HTTP/1.1 204 No Content\r\n\r\n" } else { "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n" }
}

/// Fifty requests at once have `guest` send one each.
async fn assert_traced(guest: &str, path: &str) {
    let server = trace_reader().await;
    let guest = Served::new(guest, Given { host: "127.0.0.1", ..Given::default() });
    let ids: Vec<String> = (0..50).map(|number| format!("id-{number}")).collect();
    let paths: Vec<String> = ids.iter().map(|id| format!("{path}?url=http://{server}/{id}")).collect();
    for answer in join_all(ids.iter().zip(&paths).map(|(id, path)| guest.get(id, path))).await {
        assert_eq!(answer, "status 204");
    }
}

#[tokio::test]
async fn what_a_guest_sends_names_the_request_it_serves() {
    assert_traced("calls-forbidden-host", "/").await;
}

#[tokio::test]
async fn what_a_guest_of_wasi_0_2_sends_names_the_request_it_serves() {
    assert_traced("old-world", "/get").await;
}

#[tokio::test]
async fn a_guest_calls_the_hosts_it_is_granted_and_no_others() {
    let guest = Served::new("calls-forbidden-host", Given { host: "127.0.0.1", ..Given::default() });
    let granted = format!("http://{}/1", trace_reader().await);
    assert_eq!(guest.get("1", &format!("/?url={granted}")).await, "status 204");
    let denied = guest.get("2", "/?url=http://forbidden.invalid/").await;
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
}

#[tokio::test]
async fn a_guest_of_wasi_0_2_calls_the_hosts_it_is_granted_and_no_others() {
    let guest = Served::new("old-world", Given { host: "127.0.0.1", ..Given::default() });
    let granted = format!("http://{}/1", trace_reader().await);
    assert_eq!(guest.get("1", &format!("/get?url={granted}")).await, "status 204");
    let denied = guest.get("2", "/get?url=http://forbidden.invalid/").await;
    assert!(denied.contains("HttpRequestDenied"), "{denied}");
}
