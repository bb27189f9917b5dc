//! Tells what it finds about itself: `/environment` every variable of its environment, a line each, `/config?key=…` a value
//! of its configuration, `/count` how many requests its instance has had, `/clocks` the seconds since 1970 by WASI 0.2 and by 0.3, `/rest` for how
//! many milliseconds ten of them have rested, `/random` a number of each. By the sockets of WASI 0.2 `/connect?to=HOST:PORT` tells what a raw
//! connection meets, `/say?to=HOST:PORT` what answers a line, `/send?to=HOST:PORT` what answers a datagram, `/hoard?count=N` how many of N
//! sockets it gets at once, `/listen?on=HOST:PORT` whether it may; `/connect-anew?to=PORT` is `/connect` to this machine by those of WASI 0.3.

#![cfg(target_family = "wasm")]

use std::{
    hash::{BuildHasher, RandomState},
    io::{self, Read, Write},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service, time,
    wasip3::{
        clocks::system_clock,
        random::random,
        sockets::types::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket},
    },
};

mod bindings {
    spin_sdk::wit_bindgen::generate!({
        inline: "
            package test:looks-about;

            world reader {
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
        path: "../../../wit/deps/wasi-config",
        world: "test:looks-about/reader",
        runtime_path: "spin_sdk::wit_bindgen::rt",
        generate_all,
    });
}

use bindings::wasi::config::store;

static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let count = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    let query = request.uri().query().unwrap_or_default();
    let value = query.split_once('=').map_or("", |(_, value)| value);
    Ok(match request.uri().path().rsplit('/').next() {
        Some("environment") => std::env::vars().map(|(name, value)| format!("{name}={value}\n")).collect::<String>(),
        Some("config") => format!("{:?}", store::get(value)),
        Some("clocks") => format!("{} {}", seconds(), system_clock::now().seconds),
        Some("rest") => rest().await.to_string(),
        Some("random") => format!("{} {}", RandomState::new().hash_one(0), random::get_random_u64()),
        Some("connect") => text(TcpStream::connect(value).map(|_| "connected".to_owned())),
        Some("say") => text(say(value)),
        Some("send") => text(send(value)),
        Some("hoard") => hoard(value.parse()?).to_string(),
        Some("listen") => text(TcpListener::bind(value).map(|_| "listening".to_owned())),
        Some("connect-anew") => connect_anew(value.parse()?).await,
        _ => count.to_string(),
    })
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Rests by the clock of WASI 0.3, and measures by that of 0.2.
async fn rest() -> u128 {
    let began = Instant::now();
    time::sleep(Duration::from_millis(10)).await;
    began.elapsed().as_millis()
}

fn text(outcome: io::Result<String>) -> String {
    outcome.unwrap_or_else(|error| format!("error {error}"))
}

fn say(to: &str) -> io::Result<String> {
    let (mut stream, mut answer) = (TcpStream::connect(to)?, String::new());
    stream.write_all(b"hello\n")?;
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn send(to: &str) -> io::Result<String> {
    let (socket, mut answer) = (UdpSocket::bind("0.0.0.0:0")?, [0; 64]);
    socket.send_to(b"hello", to)?;
    let (length, _) = socket.recv_from(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

/// Opens so many sockets at once, and tells how many that were.
fn hoard(count: usize) -> usize {
    let sockets: Vec<UdpSocket> = (0..count).map_while(|_| UdpSocket::bind("0.0.0.0:0").ok()).collect();
    sockets.len()
}

async fn connect_anew(port: u16) -> String {
    let connecting = async {
        let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
        socket.connect(IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })).await
    };
    connecting.await.map_or_else(|error| format!("error {error:?}"), |()| "connected".to_owned())
}
