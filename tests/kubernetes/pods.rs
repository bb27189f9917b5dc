//! The pods among themselves: how many there are, where, and with what rights.

use plaza_tests::setup::workspace;
use serde_json::{Value, json};

use crate::objects::{all, application, container, number, only, pod, settings, text};

/// Those of a host itself: eight to its own database, two for each of three outboxes, one for each lease.
pub const OWN_CONNECTIONS: u64 = 24;

/// A figure of the host or of a component that no flag tells: the number behind these words in its source.
fn figure(file: &str, words: &str) -> u64 {
    let text = std::fs::read_to_string(workspace().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let (_, rest) = text.split_once(words).unwrap_or_else(|| panic!("{file} has no {words:?}"));
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_else(|_| panic!("{file}: no number behind {words:?}"))
}

#[test]
fn every_selector_finds_the_pods_and_every_reference_the_deployment() {
    let labels = pod()["metadata"]["labels"].clone();
    assert!(labels.as_object().is_some_and(|labels| !labels.is_empty()));
    assert_eq!(only("Deployment")["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(only("Service")["spec"]["selector"], labels);
    for spread in pod()["spec"]["topologySpreadConstraints"].as_array().expect("constraints") {
        assert_eq!(spread["labelSelector"]["matchLabels"], labels);
    }
    let deployment = only("Deployment");
    let target =
        json!({"apiVersion": deployment["apiVersion"], "kind": "Deployment", "name": deployment["metadata"]["name"]});
    assert_eq!(only("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"], target);
    assert_eq!(pod()["spec"]["serviceAccountName"], only("ServiceAccount")["metadata"]["name"]);
}

#[test]
fn nobody_loses_the_last_pod_to_an_update_or_an_eviction() {
    let deployment = only("Deployment")["spec"].clone();
    assert_eq!(deployment["strategy"]["rollingUpdate"], json!({"maxSurge": 1, "maxUnavailable": 0}));
    assert_eq!(deployment["replicas"], Value::Null, "the autoscaler says how many there are");
    let least = number(&only("HorizontalPodAutoscaler")["spec"]["minReplicas"]);
    assert!(number(&only("PodDisruptionBudget")["spec"]["maxUnavailable"]) < least);
    // A start that is given up must show as a failed roll-out, not the other way round.
    let startup = &container()["startupProbe"];
    let patience = number(&startup["periodSeconds"]) * number(&startup["failureThreshold"]);
    assert!(number(&deployment["progressDeadlineSeconds"]) > patience);
}

#[test]
fn a_pod_has_no_more_rights_than_the_strictest_profile_allows() {
    let (pod, container) = (pod(), container());
    let security = &pod["spec"]["securityContext"];
    assert_eq!(
        (&security["runAsNonRoot"], &security["seccompProfile"]),
        (&json!(true), &json!({"type": "RuntimeDefault"}))
    );
    assert!(number(&security["runAsUser"]) > 0 && number(&security["runAsGroup"]) > 0);
    let own =
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    assert_eq!(container["securityContext"], own);
    for host in ["hostNetwork", "hostPID", "hostIPC", "initContainers"] {
        assert_eq!(pod["spec"][host], Value::Null, "{host}");
    }
    assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
    let labels = only("Namespace")["metadata"]["labels"].clone();
    for mode in ["enforce", "audit", "warn"] {
        assert_eq!(labels[format!("pod-security.kubernetes.io/{mode}")], "restricted", "{mode}");
    }
    for object in all() {
        assert!(
            !["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"].iter().any(|kind| object["kind"] == *kind)
        );
    }
}

#[test]
fn a_host_is_given_up_later_than_it_is_left_alone() {
    let container = container();
    let lasting = |probe: &Value| number(&probe["periodSeconds"]) * number(&probe["failureThreshold"]);
    let (liveness, readiness) = (&container["livenessProbe"], &container["readinessProbe"]);
    assert!(lasting(liveness) > lasting(readiness));
    // A database that is away is no reason to start anew.
    assert_eq!(liveness["httpGet"]["path"], "/health/live");
    let asked = figure("components/site/src/outbound/shop.rs", "const PATIENCE: Duration = Duration::from_secs(");
    assert!(number(&readiness["timeoutSeconds"]) > asked, "it is not waited for as long as the services are");
    // It may wait for another's migration, and then for its own turn at another database.
    let startup = lasting(&container["startupProbe"]);
    let migration = figure("host/src/database/migrate.rs", "const LOCK_SECONDS: u64 = ");
    assert!(startup >= 2 * migration, "{startup} s to start, of which {migration} s may pass waiting");
}

#[test]
fn there_are_no_more_hosts_than_partitions() {
    let most = number(&only("HorizontalPodAutoscaler")["spec"]["maxReplicas"]);
    assert!(most <= settings()["PLAZA_KAFKA_PARTITIONS"].parse().expect("a number"));
}

#[test]
fn the_connections_that_the_autoscaler_reckons_with_are_those_of_the_components() {
    let components = application()["component"].as_table().expect("components").clone();
    let tools: Vec<toml::Value> =
        components.values().filter_map(|one| one.get("tool")?.get("plaza").cloned()).collect();
    // Of the providers, which are optional, one is served.
    let has_database = |tool: &&toml::Value| tool.get("database").is_some();
    let optional = |tool: &&toml::Value| tool.get("optional").is_some();
    let with_database: Vec<&toml::Value> = tools.iter().filter(has_database).collect();
    let lasting = with_database.iter().filter(|tool| !optional(tool)).count() as u64;
    let databases = lasting + u64::from(with_database.iter().any(optional));
    for tool in with_database {
        assert!(
            tool.get("limits").and_then(|limits| limits.get("database_connections")).is_none(),
            "count anew: {tool}"
        );
    }
    let connections = figure("host/src/limits.rs", "            database_connections: ");
    let of_a_host = databases * connections + OWN_CONNECTIONS;
    let autoscaler = only("HorizontalPodAutoscaler");
    let surge = number(&only("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxSurge"]);
    let of_all = (number(&autoscaler["spec"]["maxReplicas"]) + surge) * of_a_host;
    let said = text("autoscaler.yaml");
    for figure in [format!("at most {of_a_host} connections"), format!("are {of_all}:")] {
        assert!(said.contains(&figure), "autoscaler.yaml does not say {figure:?}");
    }
}
