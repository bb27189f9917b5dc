use http::{HeaderName, HeaderValue};

use super::*;

const PROXY: &str = "10.0.0.1:4000";

fn trusted() -> TrustedProxies {
    ["10.0.0.0/8", "fd00::/8", "192.0.2.100"].iter().map(|text| text.parse::<Proxies>().unwrap()).collect()
}

/// Where a request comes from that `peer` sends with these headers, and what is left of them.
fn origin(peer: &str, lines: &[(&'static str, &str)]) -> (String, bool, HeaderMap) {
    let mut headers = HeaderMap::new();
    for &(name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let origin = trusted().origin(peer.parse().unwrap(), &mut headers);
    (origin.client.to_string(), origin.by_tls, headers)
}

fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
    origin(peer, lines).0
}

#[test]
fn a_stranger_is_who_it_is_whatever_it_says_and_none_of_that_goes_on() {
    let said = [
        ("forwarded", "for=192.0.2.7;proto=https"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "example.com"),
        ("x-real-ip", "192.0.2.7"),
        ("accept", "*/*"),
    ];
    let (client, by_tls, headers) = origin("198.51.100.1:5", &said);
    assert_eq!((client.as_str(), by_tls), ("198.51.100.1:5", false));
    assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"]);
}

#[test]
fn the_client_is_the_nearest_that_is_no_proxy_and_what_it_wrote_itself_is_dropped() {
    for name in ["x-forwarded-for", "forwarded"] {
        let list = |clients: &[&str]| {
            let elements = clients.iter().map(|client| match name {
                "forwarded" => format!("for=\"{client}\""),
                _ => (*client).to_owned(),
            });
            elements.collect::<Vec<_>>().join(", ")
        };
        for (written, expected, kept) in [
            (&["198.51.100.1"][..], "198.51.100.1:0", 1),
            (&["198.51.100.1:99"], "198.51.100.1:99", 1),
            (&["203.0.113.9", "198.51.100.1"], "198.51.100.1:0", 1),
            (&["203.0.113.9", "198.51.100.1", "10.1.1.1", "[fd00::1]"], "198.51.100.1:0", 3),
            (&["10.9.9.9", "198.51.100.1", "192.0.2.100"], "198.51.100.1:0", 2),
            (&["[2001:db8::1]:7", "10.1.1.1"], "[2001:db8::1]:7", 2),
            // From here on nobody knows: the last that is known counts.
            (&["198.51.100.1", "unknown", "10.1.1.1"], "10.1.1.1:0", 1),
            (&["198.51.100.1", "unknown"], PROXY, 0),
            (&["10.3.3.3", "10.1.1.1"], "10.3.3.3:0", 2),
        ] {
            let (client, _, headers) = origin(PROXY, &[(name, &list(written))]);
            assert_eq!(client, expected, "{name}: {written:?}");
            let left = headers.get(name).map(|value| value.to_str().unwrap().to_owned());
            let expected = (kept > 0).then(|| list(&written[written.len() - kept..]));
            assert_eq!(left, expected, "{name}: {written:?}");
        }
    }
}

#[test]
fn two_lists_that_contradict_each_other_are_both_not_believed() {
    let forged = [("forwarded", "for=203.0.113.9"), ("x-forwarded-for", "198.51.100.1")];
    let (client, _, headers) = origin(PROXY, &forged);
    assert!(client == PROXY && headers.is_empty(), "{client} {headers:?}");
    let agreed = [("forwarded", "for=\"198.51.100.1:7\";proto=https"), ("x-forwarded-for", "198.51.100.1")];
    let (client, by_tls, headers) = origin(PROXY, &agreed);
    assert!(client == "198.51.100.1:0" && by_tls && headers.len() == 3, "{client} {headers:?}");
}

#[test]
fn the_protocol_is_that_of_the_client_and_not_of_a_proxy_behind_it() {
    let told = |lines: &[(&'static str, &str)]| {
        let (_, by_tls, headers) = origin(PROXY, lines);
        assert_eq!(headers["x-forwarded-proto"], if by_tls { "https" } else { "http" }, "{lines:?}");
        by_tls
    };
    let list = ("x-forwarded-for", "203.0.113.9, 198.51.100.1, 10.1.1.1");
    assert!(told(&[list, ("x-forwarded-proto", "http, https, http")]));
    assert!(!told(&[list, ("x-forwarded-proto", "https, http, https")]));
    assert!(told(&[list, ("x-forwarded-proto", "https")]));
    assert!(told(&[("x-forwarded-proto", "HTTPS")]));
    assert!(!told(&[("x-forwarded-proto", "https, http")]));
    assert!(told(&[("forwarded", "for=198.51.100.1;proto=https, for=10.1.1.1;proto=http")]));
    assert!(!told(&[]));
}

#[test]
fn an_address_of_ipv4_is_known_in_the_clothes_of_ipv6() {
    let list = [("x-forwarded-for", "198.51.100.1")];
    assert_eq!(client("[::ffff:10.0.0.1]:4000", &list), "198.51.100.1:0");
    assert_eq!(client("[::ffff:11.0.0.1]:4000", &list), "[::ffff:11.0.0.1]:4000");
}

#[test]
fn what_is_no_network_is_refused_with_what_to_write() {
    for wrong in ["10.0.0.0/33", "10.0.0", "proxy.example.com", "10.0.0.0/", "fd00::/129", "10.0.0.1:80"] {
        assert_eq!(wrong.parse::<Proxies>(), Err(ProxiesError::NoNetwork), "{wrong}");
    }
    let error = "10.1.2.3/8".parse::<Proxies>().unwrap_err();
    assert!(error.to_string().contains("10.0.0.0/8"), "{error}");
    for right in ["10.0.0.0/8", " 10.0.0.1", "::1", "0.0.0.0/0", "fd00::/8", "::ffff:10.0.0.1"] {
        assert!(right.parse::<Proxies>().is_ok(), "{right}");
    }
}
