//! A server that says what a test has it say, in place of what a real one would not.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};

/// Answers all it is sent on every connection with the same bytes. Returns where it is, and tells of each connection that its client closes.
pub(crate) async fn serve(answer: &'static [u8]) -> (u16, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (left, lefts) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let left = left.clone();
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {
                    drop(stream.write_all(answer).await);
                }
                _ = left.send(());
            });
        }
    });
    (port, lefts)
}
