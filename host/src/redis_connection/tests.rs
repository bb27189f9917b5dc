//! What a server may say before anything else.

use std::pin::pin;

use futures::poll;
use redis::Value;
use tokio::{io::AsyncWriteExt, net::TcpListener};

use super::{RedisAddress, RedisConnection, RedisFault, fake};
use crate::blocked_networks::BlockedNetworks;

/// What is told of a log-in with this user and password that is answered so.
async fn told(log_in: &str, answer: &'static [u8]) -> String {
    let (port, _lefts) = fake::serve(answer).await;
    let address = RedisAddress::parse(&format!("redis://{log_in}@127.0.0.1:{port}")).unwrap();
    let fault = RedisConnection::connect(&address, &BlockedNetworks::default()).await.err().unwrap();
    assert!(matches!(fault, RedisFault::TurnedAway { .. }), "{fault}");
    let told = fault.to_string();
    assert!(told.contains(&format!("redis://127.0.0.1:{port} does not take the log-in")), "{told}");
    format!("{told} {fault:?}")
}

#[tokio::test]
async fn a_server_that_repeats_the_password_is_told_without_it() {
    let answers: [&[u8]; 2] =
        [b"-WRONGPASS no such user as ada with hunter2-hunter2\r\n", b"-ERR 'hunter2-hunter2' is not right\r\n"];
    for answer in answers {
        let told = told("ada:hunter2-hunter2", answer).await;
        assert!(!told.contains("hunter2") && told.contains("repeats what it was sent"), "{told}");
    }
}

#[tokio::test]
async fn a_server_that_has_room_for_a_part_of_the_password_only_is_told_without_that_part() {
    let answer = b"-ERR unknown command `AUTH`, with args beginning with: `hunter2-hun\r\n";
    let told = told(":hunter2-hunter2", answer).await;
    assert!(!told.contains("hunter2") && told.contains("ERR"), "{told}");
}

#[tokio::test]
async fn what_a_server_says_of_a_log_in_otherwise_is_told_as_it_is() {
    let told = told(":hunter2-hunter2", b"-ERR Client sent AUTH, but no password is set\r\n").await;
    assert!(told.contains("ERR Client sent AUTH, but no password is set"), "{told}");
}

#[tokio::test]
async fn what_has_come_of_a_value_counts_though_one_stopped_waiting_for_it_and_each_byte_is_heard() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = RedisAddress::parse(&format!("redis://{}", listener.local_addr().unwrap())).unwrap();
    let mut connection = RedisConnection::connect(&address, &BlockedNetworks::default()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let connected_at = connection.heard_at();

    // 32 bytes each, of which twenty come before anybody stops waiting.
    for most_bytes in [32, 31] {
        server.write_all(b"$25\r\n0123456789abcde").await.unwrap();
        let before = connection.stream.bytes();
        while connection.stream.bytes() < before + 20 {
            let received = pin!(connection.receive(most_bytes));
            assert!(poll!(received).is_pending());
            tokio::task::yield_now().await;
        }
        assert!(connection.heard_at() > connected_at);
        server.write_all(b"fghijklmno\r\n").await.unwrap();
        let received = connection.receive(most_bytes).await;
        match most_bytes {
            32 => assert!(matches!(received, Ok(Value::BulkString(text)) if text.len() == 25)),
            _ => assert!(matches!(received, Err(RedisFault::TooLarge(31)))),
        }
    }
}

#[tokio::test]
async fn what_leads_into_a_blocked_network_is_not_connected_to() {
    let (port, _lefts) = fake::serve(b"+OK\r\n").await;
    let mut blocked = BlockedNetworks::default();
    assert!(blocked.add("private"));
    for host in ["127.0.0.1", "localhost"] {
        let address = RedisAddress::parse(&format!("redis://{host}:{port}")).unwrap();
        let fault = RedisConnection::connect(&address, &blocked).await.err().unwrap().to_string();
        assert!(fault.contains("block_networks"), "{fault}");
        assert!(RedisConnection::connect(&address, &BlockedNetworks::default()).await.is_ok(), "{host}");
    }
}
