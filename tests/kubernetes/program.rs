//! The Deployment against the program that it runs.

use std::{
    net::SocketAddr,
    process::{Command, Output},
};

use plaza_tests::{containerfile::instructions, setup::plaza};
use serde_json::{Value, json};

use crate::objects::{container, flags, number, only, pod, settings, variables, word, words};

/// Whatever a host still has to do once its requests have ended or were cut off, in seconds: what the tests give it as well.
const STOP_MARGIN_S: u64 = 15;

fn run(arguments: &[String], adjust: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(plaza());
    command.args(arguments);
    adjust(&mut command);
    command.output().expect("plaza can be run")
}

fn help() -> String {
    String::from_utf8(run(&["up".to_owned(), "--help".to_owned()], |_| {}).stdout).expect("text")
}

/// The default of a flag, as the help tells it.
fn default_of(flag: &str) -> String {
    let help = help();
    let (_, about) = help.split_once(&format!("      {flag} ")).unwrap_or_else(|| panic!("no {flag}"));
    let about = about.split("\n      --").next().expect("its own lines");
    let (_, default) = about.split_once("[default: ").unwrap_or_else(|| panic!("{flag} has no default"));
    default.split(']').next().expect("its end").to_owned()
}

/// Starts the program as the pod does, in a folder without an application, and returns what it complains about.
fn started(change: impl Fn(&str, &str) -> Option<String>) -> String {
    let (empty, secret) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let output = run(&words(&container()["args"]), |command| {
        command.current_dir(empty.path());
        for (name, value) in settings().into_iter().chain(variables()) {
            let value = change(&name, &value).unwrap_or(value);
            match value.starts_with("/run/secrets/") {
                true => command.env(name, secret.path()),
                false => command.env(name, value),
            };
        }
    });
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_knows_every_argument_and_variable_that_it_is_given() {
    let help = help();
    for flag in flags().keys() {
        assert!(help.contains(&format!("{flag} ")), "`plaza up --help` knows no {flag}");
    }
    let application = crate::objects::application();
    let declared = application["variables"].as_table().expect("variables");
    for name in settings().into_keys().chain(variables().into_keys()) {
        match name.strip_prefix("SPIN_VARIABLE_") {
            Some(variable) => assert!(declared.contains_key(&variable.to_lowercase()), "spin.toml has no {variable}"),
            None if name == "PGSSLROOTCERT" => assert!(help.contains("PGSSLROOTCERT")),
            None => assert!(help.contains(&format!("[env: {name}")), "`plaza up --help` knows no {name}"),
        }
    }
    // With all of it the program gets as far as the manifest, which is not there.
    let error = started(|_, _| None);
    assert!(error.contains("spin.toml"), "{error}");
}

#[test]
fn a_mistake_in_the_settings_would_be_seen() {
    let mistaken = |wrong: &'static str| started(move |name, _| (name == wrong).then(|| "wrong".to_owned()));
    for variable in ["PLAZA_DATABASE_URL", "PLAZA_DATABASE_PASSWORD_FILE", "PLAZA_KAFKA_MECHANISM", "PLAZA_KAFKA_CA"] {
        let error = mistaken(variable);
        assert!(!error.contains("spin.toml"), "{variable}: {error}");
    }
    let without_brokers = started(|name, _| (name == "PLAZA_KAFKA").then(String::new));
    assert!(without_brokers.contains("spin.toml"), "it may be left empty, as settings.env says: {without_brokers}");
}

#[test]
fn the_application_is_reached_at_one_port_and_the_admin_port_not_at_all() {
    let flags = flags();
    let listen: SocketAddr = flags["--listen"].parse().expect("an address");
    let control: SocketAddr = flags["--control"].parse().expect("an address");
    assert!(listen.ip().is_unspecified() && control.ip().is_loopback() && listen.port() != control.port());
    let ports = &container()["ports"];
    assert_eq!(*ports, json!([{"name": "http", "containerPort": listen.port(), "protocol": "TCP"}]));
    assert_eq!(instructions("EXPOSE"), [listen.port().to_string()]);
    let service = only("Service")["spec"].clone();
    let targets: Vec<&Value> =
        service["ports"].as_array().expect("ports").iter().map(|port| &port["targetPort"]).collect();
    assert_eq!(targets, [&json!("http")]);
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        assert_eq!(container()[probe]["httpGet"]["port"], "http", "{probe}");
    }
}

#[test]
fn a_pod_that_goes_has_the_time_that_a_host_takes_to_stop() {
    let requests: u64 =
        flags().remove("--shutdown-timeout").unwrap_or_else(|| default_of("--shutdown-timeout")).parse().unwrap();
    // Until everybody knows that the pod is going, the host goes on: it accepts nothing after SIGTERM.
    let before = number(&container()["lifecycle"]["preStop"]["sleep"]["seconds"]);
    let grace = number(&pod()["spec"]["terminationGracePeriodSeconds"]);
    assert!(before > 0 && grace >= before + requests + STOP_MARGIN_S, "{grace} s for {before} s and {requests} s");
}

#[test]
fn its_state_is_in_a_folder_of_the_pod_and_it_may_write_nowhere_else() {
    let (pod, container) = (pod(), container());
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let folder = flags().remove("--state-dir").expect("a state folder");
    assert_eq!(instructions("VOLUME"), [folder.as_str()]);
    let mounts = container["volumeMounts"].as_array().expect("mounts").clone();
    let mount = mounts.iter().find(|mount| mount["mountPath"] == folder).expect("it is mounted");
    let volumes = pod["spec"]["volumes"].as_array().expect("volumes").clone();
    let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).expect("a volume");
    assert!(volume["emptyDir"]["sizeLimit"].is_string());
    let writable = mounts.iter().filter(|mount| mount["readOnly"] != true).count();
    assert_eq!(writable, 1);
}

#[test]
fn a_host_has_as_many_cores_as_it_asks_for() {
    let cores: u64 = flags()["--cores"].parse().expect("a number");
    let resources = &container()["resources"];
    assert_eq!(word(&resources["requests"]["cpu"]), cores.to_string());
    assert!(resources["limits"]["cpu"].is_null() && resources["limits"]["memory"].is_string());
}
