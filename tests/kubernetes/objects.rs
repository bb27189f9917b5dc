//! The manifests as they stand in the files.

use std::{collections::BTreeMap, fs, path::PathBuf};

use plaza_tests::setup::workspace;
use serde_json::Value;

/// Where they are.
pub const FOLDER: &str = "deploy/kubernetes";

/// A file of the folder.
pub fn path(name: &str) -> PathBuf {
    workspace().join(FOLDER).join(name)
}

/// Its text.
pub fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The documents of a file of YAML.
pub fn documents(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).expect("YAML")
}

/// `kustomization.yaml`.
pub fn kustomization() -> Value {
    documents(&text("kustomization.yaml")).remove(0)
}

/// The names of the files that it applies.
pub fn resources() -> Vec<String> {
    words(&kustomization()["resources"])
}

/// Every object that is applied, generated ones left out.
pub fn all() -> Vec<Value> {
    resources().iter().flat_map(|name| documents(&text(name))).collect()
}

/// The only object of a kind.
pub fn only(kind: &str) -> Value {
    let mut found = all().into_iter().filter(|object| object["kind"] == kind);
    let object = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "more than one {kind}");
    object
}

/// What a pod is made of.
pub fn pod() -> Value {
    only("Deployment")["spec"]["template"].clone()
}

/// The only container of a pod.
pub fn container() -> Value {
    let containers = pod()["spec"]["containers"].as_array().expect("containers").clone();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

/// What the program is started with, by flag: `--listen=…`.
pub fn flags() -> BTreeMap<String, String> {
    let arguments = words(&container()["args"]);
    assert_eq!(arguments[0], "up");
    let flags = arguments[1..].iter().map(|argument| argument.split_once('=').expect("--flag=value"));
    flags.map(|(flag, value)| (flag.to_owned(), value.to_owned())).collect()
}

/// What stands in `settings.env`.
pub fn settings() -> BTreeMap<String, String> {
    let text = text("settings.env");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line}: NAME=value")));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The variables that the manifest itself sets.
pub fn variables() -> BTreeMap<String, String> {
    let variables = container()["env"].as_array().expect("variables").clone();
    variables.iter().map(|variable| (word(&variable["name"]), word(&variable["value"]))).collect()
}

/// The `spin.toml` of the shop.
pub fn application() -> toml::Table {
    let text = fs::read_to_string(workspace().join("spin.toml")).expect("spin.toml");
    text.parse().expect("TOML")
}

/// A text.
pub fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// A list of texts, or nothing.
pub fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(word).collect()
}

/// A number that is not negative.
pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}
