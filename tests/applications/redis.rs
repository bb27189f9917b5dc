//! Redis servers that components ask.

use std::sync::LazyLock;

use futures::future::join_all;
use plaza_tests::{
    Client, Host, Setup,
    redis_server::{PASSWORD, RedisServer},
    until,
};

/// The application that hears and asks this server.
pub(crate) fn on(server: &RedisServer) -> Setup {
    let setup = Setup::of("tests/spin-apps/redis/spin.toml");
    setup.variable(&format!("redis={}", server.address())).variable(&format!("grant={}", server.grant()))
}

/// A server and a host that these tests share, each with keys of its own.
fn shared() -> &'static (RedisServer, Host) {
    static SHARED: LazyLock<(RedisServer, Host)> = LazyLock::new(|| {
        let server = RedisServer::start();
        let host = on(&server).start();
        (server, host)
    });
    &SHARED
}

/// What a component answers.
async fn says(client: &Client, path: &str, query: &[(&str, &str)]) -> String {
    let query = serde_urlencoded::to_string(query).unwrap();
    client.get(&format!("{path}?{query}")).await.expect(200).text()
}

/// What a component answers once it has executed these commands on one connection.
async fn executes(component: &str, commands: &[&str]) -> String {
    let query: Vec<_> = commands.iter().map(|command| ("command", *command)).collect();
    says(&shared().1.client(), &format!("/{component}/execute"), &query).await
}

#[tokio::test]
async fn both_interfaces_have_every_command() {
    let client = shared().1.client();
    for component in ["asks", "old"] {
        let key = format!("every-{component}");
        let asked = async |action: &str, values: &[&str]| {
            let values = values.iter().map(|value| ("value", *value));
            let query: Vec<_> = [("key", key.as_str())].into_iter().chain(values).collect();
            says(&client, &format!("/{component}/{action}"), &query).await
        };
        assert_eq!(asked("get", &[]).await, "none", "{component}");
        assert_eq!(asked("set", &["Grüße"]).await, "set");
        assert_eq!(asked("get", &[]).await, "Grüße");
        assert_eq!(asked("del", &[&key, "another"]).await, "1");
        assert_eq!(asked("incr", &[]).await, "1");
        assert_eq!(asked("incr", &[]).await, "2");
        assert_eq!(asked("del", &[&key]).await, "1");
        assert_eq!(asked("sadd", &["a", "b", "a"]).await, "2");
        assert_eq!(asked("smembers", &[]).await, "a b");
        assert_eq!(asked("srem", &["b", "c"]).await, "1");
        assert_eq!(asked("publish", &["nobody hears it"]).await, "published");
        assert_eq!(shared().0.ask::<Vec<String>>(&["SMEMBERS", &key]), ["a"], "the server has it");
    }
}

#[tokio::test]
async fn any_command_may_be_executed_and_its_answer_is_flat() {
    for component in ["asks", "old"] {
        let list = format!("list-{component}");
        assert_eq!(executes(component, &[&format!("RPUSH {list} x y")]).await, "number 2");
        assert_eq!(executes(component, &[&format!("LRANGE {list} 0 -1")]).await, "bytes x, bytes y");
        assert_eq!(executes(component, &["PING"]).await, "status PONG");
        assert_eq!(executes(component, &["GET nothing-there"]).await, "nil");
    }
    assert_eq!(executes("asks", &["EVAL return{1,{2,'three'}} 0"]).await, "number 1, number 2, bytes three");
}

#[tokio::test]
async fn what_is_of_another_type_is_a_type_error() {
    for component in ["asks", "old"] {
        let (text, set) = (format!("text-{component}"), format!("set-{component}"));
        executes(component, &[&format!("SET {text} word")]).await;
        executes(component, &[&format!("SADD {set} word")]).await;
        let client = shared().1.client();
        for (action, key) in [("incr", &text), ("smembers", &text), ("get", &set)] {
            let said = says(&client, &format!("/{component}/{action}"), &[("key", key)]).await;
            assert!(said.contains("TypeError"), "{component} {action}: {said}");
        }
    }
}

#[tokio::test]
async fn what_the_server_refuses_is_told() {
    let said = executes("asks", &["NOSUCH command"]).await;
    assert!(said.contains("ERR unknown command"), "{said}");
}

#[tokio::test]
async fn a_component_without_the_grant_has_an_address_that_is_none_and_the_log_says_what_to_add() {
    let (server, host) = shared();
    let said = says(&host.client(), "/stranger/get", &[("key", "any")]).await;
    assert!(said.contains("InvalidAddress"), "{said}");
    let line = host.stderr().line_with("`stranger` may not connect");
    assert!(line.contains(&server.grant()) && line.contains("to its allowed_outbound_hosts"), "{line}");
    assert!(!host.all_output().contains(PASSWORD));
    let grant = server.grant().replace("redis://", "rediss://");
    let said = says(&host.client(), "/asks/get", &[("key", "any"), ("address", &grant)]).await;
    assert!(said.contains("InvalidAddress"), "TLS is another grant: {said}");
}

/// What a component answers that may connect to this server by a wildcard, where these networks are blocked.
async fn says_where_blocked(server: &RedisServer, networks: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runtime-config.toml");
    std::fs::write(&file, format!("[outbound_networking]\nblock_networks = [{networks}]\n")).unwrap();
    let setup = Setup::of("tests/spin-apps/redis/spin.toml").variable(&format!("redis={}", server.address()));
    let setup = setup.variable("grant=redis://*:*").argument("--runtime-config-file").argument(file.to_str().unwrap());
    says(&setup.start().client(), "/asks/get", &[("key", "nothing-there")]).await
}

#[tokio::test]
async fn a_wildcard_grants_this_machine_unless_the_runtime_config_blocks_it() {
    let server = RedisServer::start();
    assert_eq!(says_where_blocked(&server, "").await, "none");
    assert_eq!(says_where_blocked(&server, "\"1.1.1.1/32\"").await, "none");
    for networks in ["\"private\"", "\"1.1.1.1/32\", \"127.0.0.0/8\""] {
        let said = says_where_blocked(&server, networks).await;
        assert!(said.contains("block_networks") && !said.contains(PASSWORD), "{networks}: {said}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_and_a_wrong_password_are_told() {
    let (server, host) = shared();
    for address in ["127.0.0.1:6379", "unix:///var/run/redis.sock", "redis://127.0.0.1:6379/first"] {
        let said = says(&host.client(), "/asks/get", &[("address", address)]).await;
        assert!(said.contains("InvalidAddress"), "{address}: {said}");
    }
    let wrong = server.address().replace(PASSWORD, "a-guess");
    let said = says(&host.client(), "/asks/get", &[("address", &wrong)]).await;
    assert!(said.contains("does not take the log-in") && said.contains("WRONGPASS"), "{said}");
    assert!(!said.contains("a-guess"), "{said}");
}

#[tokio::test]
async fn what_changes_a_connection_is_seen_by_nobody_else() {
    let client = shared().1.client();
    assert_eq!(
        executes("asks", &["SELECT 3", "SET only-there yes", "GET only-there"]).await,
        "status OK\nstatus OK\nbytes yes"
    );
    for _ in 0..8 {
        assert_eq!(says(&client, "/asks/get", &[("key", "only-there")]).await, "none");
    }
    let transaction = ["MULTI", "SET in-one 1", "INCR in-one", "EXEC"];
    let said = executes("asks", &transaction).await;
    assert_eq!(said, "status OK\nstatus QUEUED\nstatus QUEUED\nstatus OK, number 2");
    assert_eq!(executes("asks", &["MULTI", "SET left-open 1"]).await, "status OK\nstatus QUEUED");
    assert_eq!(says(&client, "/asks/get", &[("key", "left-open")]).await, "none", "a transaction left open never was");
}

#[tokio::test]
async fn a_command_that_would_turn_its_connection_into_a_stream_is_not_executed() {
    for command in ["SUBSCRIBE news", "monitor", "CLIENT REPLY OFF", "HELLO 3"] {
        let said = executes("asks", &[command]).await;
        assert!(said.contains("is not executed"), "{command}: {said}");
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_an_error_and_the_next_one_is_none() {
    let client = shared().1.client();
    says(&client, "/asks/large", &[("key", "large"), ("bytes", "2000000")]).await;
    let said = says(&client, "/asks/get", &[("key", "large")]).await;
    assert!(said.contains("limits.query_bytes"), "{}", said.chars().take(200).collect::<String>());
    assert_eq!(says(&client, "/asks/get", &[("key", "nothing-there")]).await, "none");
}

#[tokio::test]
async fn an_answer_of_too_many_elements_is_an_error_however_small_they_are() {
    let (server, host) = shared();
    let fill = "for i = 1, 100000 do redis.call('rpush', KEYS[1], 'x') end";
    server.ask::<()>(&["EVAL", fill, "1", "many"]);
    assert_eq!(executes("asks", &["LLEN many"]).await, "number 100000");
    let said = executes("asks", &["LRANGE many 0 -1"]).await;
    assert!(said.contains("more than 100000 elements"), "{}", said.chars().take(200).collect::<String>());
    let said = executes("asks", &["LRANGE many 0 -2"]).await;
    assert_eq!(said.matches("bytes x").count(), 99_999, "with the list itself that is as many as one may have");
    assert_eq!(says(&host.client(), "/asks/get", &[("key", "nothing-there")]).await, "none");
}

#[tokio::test]
async fn a_command_without_end_ends_with_its_request_and_holds_nobody_up() {
    let client = shared().1.client();
    let endless = async { client.get("/asks/execute?command=BLPOP+never+0").await.status };
    let others = join_all((0..20).map(|_| says(&client, "/asks/incr", &[("key", "meanwhile")])));
    let (status, counted) = tokio::join!(endless, others);
    assert_eq!(status, 504);
    assert_eq!(counted.iter().filter_map(|one| one.parse::<i64>().ok()).max(), Some(20), "{counted:?}");
}

#[tokio::test]
async fn many_commands_at_once_share_the_connections_that_a_component_may_have() {
    // A server of its own: others have connections there, too.
    let server = RedisServer::start();
    let host = on(&server).start();
    assert_eq!(says(&host.client(), "/asks/at-once", &[("key", "at-once"), ("count", "300")]).await, "300");
    let clients: String = server.ask(&["CLIENT", "LIST"]);
    let asking = clients.lines().filter(|line| line.contains("cmd=incr")).count();
    assert!(asking <= 4, "{asking} connections:\n{clients}");
}

#[tokio::test]
async fn an_instance_opens_so_many_connections_and_closed_ones_make_room() {
    // A host of its own: what others have open in the same instance counts too.
    let server = RedisServer::start();
    let host = on(&server).start();
    // Each request opens one more, for itself.
    let open = async |count: &str| says(&host.client(), "/asks/open", &[("count", count)]).await;
    assert_eq!(open("255").await, "255 open");
    assert!(open("256").await.contains("TooManyConnections"));
    assert_eq!(open("255").await, "255 open");
}

#[tokio::test]
async fn a_server_that_comes_back_is_asked_again() {
    let mut server = RedisServer::start();
    let host = on(&server).start();
    let client = host.client();
    assert_eq!(says(&client, "/asks/incr", &[("key", "counted")]).await, "1");
    server.kill();
    for component in ["asks", "old"] {
        let said = says(&client, &format!("/{component}/get"), &[("key", "counted")]).await;
        assert!(said.starts_with("error"), "{component}: {said}");
    }
    server.start_again();
    for component in ["asks", "old"] {
        // On another core there may still be a connection that was in use a moment ago.
        until("it is asked again", async || {
            let said = says(&client, &format!("/{component}/get"), &[("key", "counted")]).await;
            (said == "none").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_server_that_speaks_tls_is_believed_only_where_this_machine_trusts_its_certificate() {
    let server = RedisServer::start();
    let (address, certificate) = server.secure_address();
    let grant = address.replace(&format!(":{PASSWORD}@"), "");
    let setup = || {
        let setup = Setup::of("tests/spin-apps/redis/spin.toml");
        setup.variable(&format!("redis={address}")).variable(&format!("grant={grant}"))
    };
    let trusting = setup().environment("SSL_CERT_FILE", certificate.to_str().unwrap()).start();
    assert_eq!(says(&trusting.client(), "/asks/set", &[("key", "secure"), ("value", "yes")]).await, "set");
    assert_eq!(says(&trusting.client(), "/old/get", &[("key", "secure")]).await, "yes");
    trusting.stderr().line_with("listens to a Redis channel");
    let said = says(&setup().start().client(), "/asks/get", &[("key", "secure")]).await;
    assert!(said.contains("invalid peer certificate"), "{said}");
}
