//! HTTP by hand, for what a well-behaved client never does.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::wait::PATIENCE;

/// A bare connection.
pub struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    /// Connects to `http://host:port`.
    pub async fn connect(base: &str) -> Self {
        let address = base.trim_start_matches("http://");
        let stream = TcpStream::connect(address).await.expect("the host listens");
        stream.set_nodelay(true).expect("a TCP option");
        Self { stream, received: Vec::new() }
    }

    /// Sends text as it is.
    pub async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("the connection is open");
    }

    /// Sends one piece of a chunked body.
    pub async fn send_chunk(&mut self, text: &str) {
        self.send(&format!("{:x}\r\n{text}\r\n", text.len())).await;
    }

    /// Reads until `text` has come, and returns all that came since the start.
    pub async fn receive_until(&mut self, text: &str) -> String {
        self.receive_until_times(text, 1).await
    }

    /// Reads until `text` has come so many times, and returns all that came since the start.
    pub async fn receive_until_times(&mut self, text: &str, times: usize) -> String {
        loop {
            let received = String::from_utf8_lossy(&self.received).into_owned();
            if received.matches(text).count() >= times {
                return received;
            }
            assert!(self.receive().await > 0, "closed before {text:?} came {times} times: {received}");
        }
    }

    /// Whether the host closes within so long; if it does not, sends text.
    pub async fn closes_within(&mut self, patience: Duration, text: &str) -> bool {
        let mut buffer = [0; 1];
        match timeout(patience, self.stream.read(&mut buffer)).await {
            Ok(read) => read.unwrap_or(0) == 0,
            // A write to a closed connection fails, which is an answer too.
            Err(_) => self.stream.write_all(text.as_bytes()).await.is_err(),
        }
    }

    /// Reads until the host closes, and returns all that came.
    pub async fn receive_all(&mut self) -> String {
        while self.receive().await > 0 {}
        String::from_utf8_lossy(&self.received).into_owned()
    }

    async fn receive(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let count = timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("something comes").unwrap_or(0);
        self.received.extend_from_slice(&buffer[..count]);
        count
    }
}
