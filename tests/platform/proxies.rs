//! Where a request comes from, with proxies in front of the host: these are believed, and nobody else is.

use std::sync::LazyLock;

use plaza_tests::{Answer, Host, Setup, shop::fresh_key, until};
use serde_json::Value;

use crate::host;

/// What a client may send to appear as another.
const FORGED: [(&str, &str); 5] = [
    ("forwarded", "for=192.0.2.66;proto=https"),
    ("x-forwarded-for", "192.0.2.66"),
    ("x-forwarded-proto", "https"),
    ("x-real-ip", "192.0.2.66"),
    ("spin-client-addr", "192.0.2.66:1"),
];

/// A host behind proxies: those who ask it here, and another one in front of them.
fn behind_proxies() -> &'static Host {
    static HOST: LazyLock<Host> = LazyLock::new(|| {
        let setup = Setup::platform().environment("PLAZA_TRUSTED_PROXY", "192.0.2.66");
        let setup = setup.argument("--trusted-proxy").argument("127.0.0.0/8, 10.0.0.0/8");
        setup.argument("--trusted-proxy=fd00::/8").start()
    });
    &HOST
}

/// The answer of a path to a request with these headers.
async fn ask(host: &Host, path: &str, headers: &[(&str, &str)]) -> Answer {
    headers.iter().fold(host.client().get(path), |call, (name, value)| call.header(name, value)).await
}

/// What a component sees of such a request, and whom the access log names for it.
async fn seen(host: &Host, headers: &[(&str, &str)]) -> (Value, String) {
    let id = fresh_key();
    let headers = [headers, &[("x-request-id", id.as_str())]].concat();
    let answer = ask(host, "/hello/headers", &headers).await.expect(200);
    let line = until("it is in the access log", async || {
        let log = host.stderr().text();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.find(|line| line["target"] == "access" && line["request.id"] == id.as_str())
    });
    let logged = line.await["client.address"].as_str().unwrap_or_default().to_owned();
    (answer.json(), logged)
}

#[tokio::test]
async fn a_client_that_is_no_trusted_proxy_cannot_say_that_it_is_another() {
    let (headers, logged) = seen(host(), &FORGED).await;
    assert!(headers["spin-client-addr"].as_str().unwrap().starts_with("127.0.0.1:"), "{headers}");
    for name in ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"] {
        assert_eq!(headers[name], Value::Null, "{headers}");
    }
    assert_eq!(logged, "127.0.0.1");
    let answer = ask(host(), "/nobody", &FORGED).await;
    assert_eq!(answer.header("strict-transport-security"), "");
}

#[tokio::test]
async fn behind_trusted_proxies_the_client_is_the_nearest_that_is_none_of_them() {
    for (name, list, client, kept) in [
        ("x-forwarded-for", "198.51.100.7", "198.51.100.7:0", "198.51.100.7"),
        (
            "x-forwarded-for",
            "192.0.2.66, 198.51.100.7:1234, 10.1.2.3",
            "198.51.100.7:1234",
            "198.51.100.7:1234, 10.1.2.3",
        ),
        ("x-forwarded-for", "127.0.0.1, [2001:db8::1]:80, fd00::1", "[2001:db8::1]:80", "[2001:db8::1]:80, fd00::1"),
        ("forwarded", "for=192.0.2.66, For=198.51.100.7;by=10.1.2.3", "198.51.100.7:0", "For=198.51.100.7;by=10.1.2.3"),
        (
            "forwarded",
            r#"for="[2001:db8::1]:80", for=10.1.2.3"#,
            "[2001:db8::1]:80",
            r#"for="[2001:db8::1]:80", for=10.1.2.3"#,
        ),
    ] {
        let (headers, logged) = seen(behind_proxies(), &[(name, list), ("x-real-ip", "192.0.2.66")]).await;
        assert_eq!((&headers["spin-client-addr"], &headers[name]), (&client.into(), &kept.into()), "{headers}");
        assert_eq!(headers["x-real-ip"], Value::Null, "{headers}");
        let address: std::net::SocketAddr = client.parse().unwrap();
        assert_eq!(logged, address.ip().to_string(), "{list}");
    }
}

#[tokio::test]
async fn a_list_that_a_proxy_hands_on_as_its_client_sent_it_makes_nobody_another() {
    let both = [("forwarded", "for=192.0.2.66"), ("x-forwarded-for", "198.51.100.7")];
    let (headers, logged) = seen(behind_proxies(), &both).await;
    assert_eq!((&headers["forwarded"], &headers["x-forwarded-for"]), (&Value::Null, &Value::Null), "{headers}");
    assert_eq!(logged, "127.0.0.1");
    let (_, logged) = seen(behind_proxies(), &[]).await;
    assert_eq!(logged, "127.0.0.1", "a proxy that asks for itself");
}

#[tokio::test]
async fn nobody_guesses_at_a_problem_of_the_host_and_who_came_by_tls_is_told_to_come_by_tls_again() {
    for (addresses, protocols, told) in [
        ("198.51.100.7", "https", true),
        ("198.51.100.7, 10.1.2.3", "HTTPS, http", true),
        ("198.51.100.7, 10.1.2.3", "http, https", false),
        ("198.51.100.7, 10.1.2.3", "https", true),
        // The client has begun this list.
        ("198.51.100.7", "https, http", false),
        ("", "https", true),
        ("", "", false),
    ] {
        let headers = [("x-forwarded-for", addresses), ("x-forwarded-proto", protocols)];
        let answer = ask(behind_proxies(), "/nobody", &headers).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("strict-transport-security");
        assert_eq!(policy.starts_with("max-age="), told, "{addresses:?} {protocols:?}");
        answer.problem(404);
        let (seen, _) = seen(behind_proxies(), &headers).await;
        assert_eq!(seen["x-forwarded-proto"], if told { "https" } else { "http" }, "{seen}");
    }
}

#[test]
fn what_is_no_proxy_is_refused_at_the_start_with_what_to_write() {
    for (wrong, advice) in [
        ("10.0.0.0/33", "CIDR"),
        ("10.0.0.0/8,proxy.example.com", "\"proxy.example.com\""),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.0.0.1:80", "CIDR"),
    ] {
        let by_flag = Setup::platform().argument("--trusted-proxy").argument(wrong).refused();
        let by_variable = Setup::platform().environment("PLAZA_TRUSTED_PROXY", wrong).refused();
        for ended in [by_flag, by_variable] {
            assert_eq!(ended.code, Some(1), "{}", ended.stderr);
            assert!(ended.stderr.contains("--trusted-proxy") && ended.stderr.contains(advice), "{}", ended.stderr);
        }
    }
}
