//! Redis channels that components hear.

use std::time::{Duration, Instant};

use plaza_tests::{
    Host, Setup,
    manifest::Manifest,
    redis_server::{PASSWORD, RedisServer},
    until, workspace,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::redis::on;

/// A server, and a host all of whose channels are heard.
async fn listening() -> (RedisServer, Host) {
    let server = RedisServer::start();
    let host = on(&server).start();
    heard_by_all(&host).await;
    (server, host)
}

/// Waits until every component listens.
async fn heard_by_all(host: &Host) {
    until("all channels are heard", async || aways(host).await.iter().all(|away| !away).then_some(())).await;
}

/// Of each channel whether it is not heard now.
async fn aways(host: &Host) -> Vec<bool> {
    let status = host.status().await;
    let channels = status["channels"].as_array().expect("channels");
    channels.iter().map(|channel| !channel["away"].is_null()).collect()
}

/// Waits until so much was noted, and returns it in order.
async fn noted(server: &RedisServer, count: usize) -> Vec<String> {
    until("the messages are noted", async || {
        let mut all: Vec<String> = server.ask(&["LRANGE", "heard", "0", "-1"]);
        all.sort();
        (all.len() >= count).then_some(all)
    })
    .await
}

/// What the status says of a component on a channel.
async fn counted(host: &Host, component: &str, channel: &str) -> (i64, i64) {
    let status = host.status().await;
    let channels = status["channels"].as_array().expect("channels");
    let found = channels.iter().find(|one| one["component"] == component && one["channel"] == channel);
    let number = |name: &str| found.and_then(|one| one[name].as_i64()).expect("a number");
    (number("taken"), number("failed"))
}

fn publish(server: &RedisServer, channel: &str, message: &str) {
    server.ask::<i64>(&["PUBLISH", channel, message]);
}

#[tokio::test]
async fn each_component_on_a_channel_hears_its_messages_and_nobody_else_does() {
    let (server, host) = listening().await;
    publish(&server, "news", "one");
    assert_eq!(noted(&server, 2).await, ["hears one", "old one"]);
    publish(&server, "elsewhere", "two");
    publish(&server, "nobody-hears-it", "three");
    assert_eq!(noted(&server, 3).await, ["hears one", "hears two", "old one"]);
    for channel in ["news", "elsewhere"] {
        until("all is counted", async || (counted(&host, "hears", channel).await == (1, 0)).then_some(())).await;
    }
    let metrics = host.control().get("/metrics").await.expect(200).text();
    let line = metrics
        .lines()
        .find(|line| line.starts_with("plaza_messages_taken_total{component=\"hears\",channel=\"news\""));
    assert!(line.is_some_and(|line| line.ends_with(" 1")), "{line:?}");
    assert!(!host.all_output().contains(PASSWORD) && !metrics.contains(PASSWORD));
}

#[tokio::test]
async fn many_messages_are_all_heard() {
    let (server, _host) = listening().await;
    for number in 0..300 {
        publish(&server, "elsewhere", &number.to_string());
    }
    let all = noted(&server, 300).await;
    let mut expected: Vec<String> = (0..300).map(|number| format!("hears {number}")).collect();
    expected.sort();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_message_that_is_not_taken_holds_up_no_other_and_is_told() {
    let (server, host) = listening().await;
    // What traps takes down what the same instance handles beside it, so the next one waits for its end.
    for (number, message) in [(1, "fail"), (2, "trap")] {
        publish(&server, "elsewhere", message);
        let failed = async || (counted(&host, "hears", "elsewhere").await == (0, number)).then_some(());
        until("the failure is counted", failed).await;
    }
    publish(&server, "elsewhere", "after");
    assert_eq!(noted(&server, 1).await, ["hears after"]);
    until("what was taken is counted, too", async || {
        (counted(&host, "hears", "elsewhere").await == (1, 2)).then_some(())
    })
    .await;
    assert!(host.stderr().line_with("was not taken").contains("hears"));
}

#[tokio::test]
async fn a_message_that_takes_long_holds_up_no_other() {
    let (server, _host) = listening().await;
    publish(&server, "elsewhere", "slow");
    publish(&server, "elsewhere", "quick");
    assert_eq!(noted(&server, 1).await, ["hears quick"]);
    server.ask::<i64>(&["RPUSH", "go", "on"]);
    assert_eq!(noted(&server, 2).await, ["hears quick", "hears slow"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_left_out() {
    let (server, host) = listening().await;
    publish(&server, "elsewhere", &"x".repeat(100_001));
    publish(&server, "elsewhere", &"x".repeat(100_000));
    assert_eq!(noted(&server, 1).await, ["hears much"]);
    until("both are counted", async || (counted(&host, "hears", "elsewhere").await == (1, 1)).then_some(())).await;
    host.stderr().line_with("limits.body_bytes");
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_told_and_heard_once_it_is_there() {
    let mut server = RedisServer::away();
    let host = on(&server).start();
    let away = until("the status says why", async || {
        let status = host.status().await;
        let away = status["channels"][0]["away"].as_str().expect("a reason").to_owned();
        away.contains("cannot connect").then_some(away)
    })
    .await;
    assert!(away.contains(&server.grant()) && !away.contains(PASSWORD), "{away}");
    let shown = host.operate(&["status"]).await.expect().text;
    assert!(shown.contains("hears hears nothing of the Redis channel news"), "{shown}");
    server.start_again();
    heard_by_all(&host).await;
    publish(&server, "elsewhere", "at last");
    assert_eq!(noted(&server, 1).await, ["hears at last"]);
}

#[tokio::test]
async fn a_server_that_comes_back_is_heard_again() {
    let (mut server, host) = listening().await;
    server.kill();
    host.stderr().line_with("hears nothing of a Redis channel");
    until("everybody has noticed", async || aways(&host).await.iter().all(|away| *away).then_some(())).await;
    server.start_again();
    heard_by_all(&host).await;
    publish(&server, "news", "again");
    assert_eq!(noted(&server, 2).await, ["hears again", "old again"]);
}

#[tokio::test]
async fn a_server_that_breaks_off_what_it_has_just_begun_is_told_of_once_and_tried_ever_more_seldom() {
    let (listener, mut times) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Vec::new());
    let grant = format!("redis://{}", listener.local_addr().unwrap());
    let setup = Setup::of("tests/spin-apps/redis/spin.toml");
    let host = setup.variable(&format!("redis={grant}")).variable(&format!("grant={grant}")).start();
    // Three listen, each six times.
    while times.len() < 18 {
        let (mut stream, _) =
            tokio::time::timeout(plaza_tests::wait::PATIENCE, listener.accept()).await.unwrap().unwrap();
        times.push(Instant::now());
        let mut asked = [0; 1024];
        let count = stream.read(&mut asked).await.unwrap();
        let asked = String::from_utf8_lossy(&asked[..count]).into_owned();
        let channel = if asked.contains("news") { "news" } else { "elsewhere" };
        let answer = format!("*3\r\n$9\r\nsubscribe\r\n${}\r\n{channel}\r\n:1\r\n", channel.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
    let took = times[17].duration_since(times[0]);
    assert!(took > Duration::from_secs(2), "five pauses each of which is longer: {took:?}");
    let log = host.stderr().text();
    for told in ["hears nothing of a Redis channel", "listens to a Redis channel"] {
        assert_eq!(log.lines().filter(|line| line.contains(told)).count(), 3, "{told}: {log}");
    }
}

#[tokio::test]
async fn channels_come_and_go_with_the_manifest_and_the_others_go_on() {
    let server = RedisServer::start();
    let text = std::fs::read_to_string(workspace().join("tests/spin-apps/redis/spin.toml")).unwrap();
    let text = text.replace("../../../", "").replace("workdir = \"../../..\"", "workdir = \".\"");
    let manifest = Manifest::of_text(&text);
    let setup = Setup::of("spin.toml").manifest_in(manifest.clone());
    let host =
        setup.variable(&format!("redis={}", server.address())).variable(&format!("grant={}", server.grant())).start();
    heard_by_all(&host).await;
    publish(&server, "news", "before");
    noted(&server, 2).await;
    let changed = text.replace("channel = \"{{ channel }}\"", "channel = \"weather\"");
    std::fs::write(manifest.path(), changed).unwrap();
    let done = host.operate(&["apply", "--yes"]).await.expect().text;
    assert!(
        done.contains("+ channel weather of `hears`") && done.contains("- channel {{ channel }} of `hears`"),
        "{done}"
    );
    heard_by_all(&host).await;
    until("nobody is left on the channel that went", async || {
        let (_, listeners): (String, i64) = server.ask(&["PUBSUB", "NUMSUB", "elsewhere"]);
        (listeners == 0).then_some(())
    })
    .await;
    publish(&server, "elsewhere", "to nobody");
    publish(&server, "weather", "fine");
    publish(&server, "news", "after");
    let all = noted(&server, 5).await;
    assert_eq!(all, ["hears after", "hears before", "hears fine", "old after", "old before"]);
    until("the channel that stayed has counted on", async || {
        (counted(&host, "hears", "news").await == (2, 0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_component_that_does_not_handle_messages_is_not_let_in() {
    let (_server, host) = listening().await;
    let file = workspace().join("target/wasm32-wasip2/release/asks_redis.wasm");
    host.deploy("hears", &file, &[]).await.refused(&["is on a Redis channel and does not handle messages"]);
}
