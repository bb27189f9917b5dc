//! The SpinApp against the application. Its schema is not Kubernetes' own, so the fields are those of the operator's definition.

use std::{collections::BTreeSet, process::Command};

use plaza_tests::setup::{plaza, workspace};
use serde_json::{Value, json};

use crate::objects::{application, documents, word, words};

/// Fields of a SpinApp's `spec` (spin-operator, api/v1alpha1/spinapp_types.go).
const SPEC: [&str; 18] = [
    "executor",
    "image",
    "imagePullSecrets",
    "checks",
    "replicas",
    "enableAutoscaling",
    "runtimeConfig",
    "volumes",
    "volumeMounts",
    "variables",
    "serviceAnnotations",
    "deploymentAnnotations",
    "podAnnotations",
    "podLabels",
    "resources",
    "components",
    "serviceAccountName",
    "invocationLimits",
];

/// Fields of a probe.
const PROBE: [&str; 6] =
    ["httpGet", "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

fn app() -> Value {
    only("spinapp.yaml")
}

/// The one document of a file.
fn only(name: &str) -> Value {
    let text = std::fs::read_to_string(workspace().join("deploy/spinkube").join(name)).expect("a file");
    let mut documents = documents(&text);
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn names(table: &Value) -> Vec<&str> {
    table.as_object().expect("a table").keys().map(String::as_str).collect()
}

#[test]
fn it_is_a_spin_app_with_fields_that_the_operator_knows() {
    let app = app();
    assert_eq!(names(&app).into_iter().collect::<BTreeSet<_>>(), ["apiVersion", "kind", "metadata", "spec"].into());
    assert_eq!((&app["apiVersion"], &app["kind"]), (&json!("core.spinkube.dev/v1alpha1"), &json!("SpinApp")));
    let spec = &app["spec"];
    assert!(names(spec).iter().all(|field| SPEC.contains(field)), "{spec}");
    assert_eq!(spec["executor"], "containerd-shim-spin");
    assert!(spec["image"].is_string() && spec["replicas"].as_u64().is_some_and(|replicas| replicas > 1));
    assert!(names(&spec["resources"]).iter().all(|field| ["limits", "requests"].contains(field)));
    assert_eq!(names(&spec["checks"]).into_iter().collect::<BTreeSet<_>>(), ["liveness", "readiness"].into());
    for check in ["liveness", "readiness"] {
        let probe = &spec["checks"][check];
        assert!(names(probe).iter().all(|field| PROBE.contains(field)), "{probe}");
        // What Spin itself answers, whatever the application is made of.
        assert_eq!(probe["httpGet"], json!({"path": "/.well-known/spin/health"}));
    }
}

#[test]
fn it_gives_every_variable_that_is_required_and_none_that_there_is_not() {
    let application = application();
    let declared = application["variables"].as_table().expect("variables");
    let given = app()["spec"]["variables"].as_array().expect("variables").clone();
    let names: Vec<String> = given.iter().map(|variable| word(&variable["name"])).collect();
    let once: BTreeSet<&String> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "one is given twice");
    for (name, variable) in declared {
        let required = variable.get("required").and_then(toml::Value::as_bool) == Some(true);
        assert!(!required || once.contains(name), "{name} is required and not given");
    }
    let mut secrets = BTreeSet::new();
    for variable in &given {
        let name = word(&variable["name"]);
        let declared = declared.get(&name).unwrap_or_else(|| panic!("spin.toml has no variable {name}"));
        let reference = &variable["valueFrom"]["secretKeyRef"];
        assert_ne!(variable["value"].is_string(), reference.is_object(), "{name}: one value");
        if declared.get("secret").and_then(toml::Value::as_bool) == Some(true) {
            assert!(reference.is_object(), "{name} is a secret and stands in the file");
        }
        if reference.is_object() {
            assert_eq!(reference["key"], name);
            secrets.insert(word(&reference["name"]));
        }
    }
    assert_eq!(secrets.len(), 1, "{secrets:?}");
}

#[test]
fn it_runs_the_components_that_need_nobody_whom_only_plaza_links() {
    let application = application();
    let components = application["component"].as_table().expect("components");
    let links = |component: &toml::Value, path: &[&str]| -> BTreeSet<String> {
        let found = path.iter().try_fold(component, |table, name| table.get(name));
        found.and_then(toml::Value::as_table).into_iter().flat_map(|table| table.keys().cloned()).collect()
    };
    let triggers = application["trigger"]["http"].as_array().expect("routes");
    let routed: BTreeSet<&str> = triggers.iter().filter_map(|trigger| trigger["component"].as_str()).collect();
    let runs = |id: &&str| {
        let composed = links(&components[*id], &["dependencies"]);
        links(&components[*id], &["tool", "plaza", "dependencies"]).is_subset(&composed)
    };
    let expected: BTreeSet<String> = routed.into_iter().filter(runs).map(str::to_owned).collect();
    assert_eq!(words(&app()["spec"]["components"]).into_iter().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn the_relay_beside_it_is_started_with_what_the_program_knows_and_is_told_the_same_token() {
    let relay = only("relay.yaml");
    let container = &relay["spec"]["template"]["spec"]["containers"][0];
    let arguments = words(&container["args"]);
    assert_eq!(arguments[0], "relay");
    let help = Command::new(plaza()).args(["relay", "--help"]).output().expect("plaza can be run").stdout;
    let help = String::from_utf8(help).expect("text");
    for argument in &arguments[1..] {
        let (flag, _) = argument.split_once('=').expect("--flag=value");
        assert!(help.contains(&format!("{flag} ")), "`plaza relay --help` knows no {flag}");
    }
    for variable in container["env"].as_array().expect("variables") {
        let name = word(&variable["name"]);
        if !name.starts_with("SPIN_VARIABLE_") {
            assert!(help.contains(&format!("[env: {name}")), "`plaza relay --help` knows no {name}");
        }
    }
    let given = app()["spec"]["variables"].as_array().expect("variables").clone();
    let there = given.iter().find(|variable| variable["name"] == "service_token").expect("the token");
    let mut here = container["env"].as_array().into_iter().flatten();
    let here = here.find(|variable| variable["name"] == "SPIN_VARIABLE_SERVICE_TOKEN").expect("the token");
    assert_eq!(there["valueFrom"], here["valueFrom"]);
    // The Service of a SpinApp is named like it, and probes ask the port that is listened on.
    assert!(arguments.contains(&format!("--target=http://{}", word(&app()["metadata"]["name"]))));
    assert!(arguments.contains(&format!("--control=0.0.0.0:{}", container["ports"][0]["containerPort"])));
    for (probe, path) in [("livenessProbe", "/health/live"), ("readinessProbe", "/health/ready")] {
        assert_eq!(container[probe]["httpGet"], json!({"path": path, "port": container["ports"][0]["name"]}));
    }
}
