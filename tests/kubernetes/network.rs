//! Who reaches the pods, and whom they reach.

use serde_json::{Value, json};

use crate::objects::{all, only, pod, settings};

fn policies() -> Vec<Value> {
    all().into_iter().filter(|object| object["kind"] == "NetworkPolicy").map(|policy| policy["spec"].clone()).collect()
}

/// The policy that is about the shop's pods.
fn of_the_shop() -> Value {
    let found: Vec<Value> =
        policies().into_iter().filter(|policy| policy["podSelector"]["matchLabels"].is_object()).collect();
    let [policy] = &found[..] else { panic!("{found:?}") };
    policy.clone()
}

fn in_namespace(name: &str) -> Value {
    json!({"matchLabels": {"kubernetes.io/metadata.name": name}})
}

/// `host:port` of an address inside the cluster, as its namespace and its port.
fn place(address: &str) -> (String, u64) {
    let (host, port) = address.rsplit_once(':').expect("host:port");
    let labels: Vec<&str> = host.split('.').collect();
    let [_service, namespace, "svc", "cluster", "local"] = labels[..] else { panic!("{host} is no Service") };
    (namespace.to_owned(), port.parse().expect("a port"))
}

#[test]
fn nothing_is_open_that_no_policy_opens() {
    let closed = json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]});
    assert!(policies().contains(&closed), "{:?}", policies());
    let policy = of_the_shop();
    assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
    assert_eq!(policy["podSelector"]["matchLabels"], pod()["metadata"]["labels"]);
    assert_eq!(only("ServiceAccount")["automountServiceAccountToken"], false);
}

#[test]
fn only_the_applications_port_is_open() {
    assert_eq!(of_the_shop()["ingress"], json!([{"ports": [{"port": "http", "protocol": "TCP"}]}]));
}

#[test]
fn a_host_reaches_name_servers_and_what_its_settings_name_and_nobody_else() {
    let settings = settings();
    let url = reqwest::Url::parse(&settings["PLAZA_DATABASE_URL"]).expect("an address");
    let database = format!("{}:{}", url.host_str().expect("a host"), url.port().expect("a port"));
    let brokers = settings["PLAZA_KAFKA"].split(',');
    let mut places: Vec<(String, u64)> = std::iter::once(database.as_str()).chain(brokers).map(place).collect();
    places.dedup();
    let namespace = places[0].0.clone();
    assert!(places.iter().all(|(other, _)| *other == namespace), "{places:?}: a rule for each namespace");
    let ports: Vec<Value> = places.iter().map(|(_, port)| json!({"port": port, "protocol": "TCP"})).collect();
    let name_servers = json!({
        "to": [{"namespaceSelector": in_namespace("kube-system"), "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}],
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
    });
    let data = json!({"to": [{"namespaceSelector": in_namespace(&namespace)}], "ports": ports});
    assert_eq!(of_the_shop()["egress"], json!([name_servers, data]));
}

#[test]
fn the_way_to_the_database_and_to_kafka_is_encrypted_and_both_are_known_by_their_certificates() {
    let url = reqwest::Url::parse(&settings()["PLAZA_DATABASE_URL"]).expect("an address");
    assert!(url.query_pairs().any(|(name, value)| name == "sslmode" && value == "verify-full"), "{url}");
    let variables = crate::objects::variables();
    assert!(variables.contains_key("PGSSLROOTCERT") && variables.contains_key("PLAZA_KAFKA_CA"));
}
