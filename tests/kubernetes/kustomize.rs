//! What `kubectl apply -k` makes of the folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use plaza_tests::{containerfile, setup::workspace};
use serde_json::Value;

use crate::objects::{
    FOLDER, all, container, kustomization, only, path, pod, resources, settings, text, variables, word, words,
};

/// A generator of the kustomization by its name.
fn generator(kind: &str, name: &str) -> Value {
    let all = kustomization()[kind].as_array().expect("generators").clone();
    all.into_iter().find(|generator| generator["name"] == name).unwrap_or_else(|| panic!("{kind} has no {name}"))
}

/// Files that git does not take in, for secrets are in them.
fn secret_files() -> Vec<String> {
    let generators = kustomization()["secretGenerator"].as_array().expect("generators").clone();
    generators.iter().flat_map(|generator| [words(&generator["files"]), words(&generator["envs"])].concat()).collect()
}

#[test]
fn it_applies_every_manifest_of_the_folder_to_one_namespace() {
    let files = fs::read_dir(path("")).expect("the folder").map(|entry| entry.expect("a file").file_name());
    let manifests: BTreeSet<String> =
        files.filter_map(|name| name.into_string().ok()).filter(|name| name.ends_with(".yaml")).collect();
    let applied = resources().into_iter().chain(["kustomization.yaml".to_owned()]).collect();
    assert_eq!(manifests, applied);
    assert_eq!(kustomization()["namespace"], only("Namespace")["metadata"]["name"]);
    for object in all() {
        assert_eq!(object["metadata"]["namespace"], Value::Null, "{object}");
    }
}

#[test]
fn no_secret_is_in_the_repository() {
    for object in all() {
        assert_ne!(object["kind"], "Secret");
    }
    let ignored = fs::read_to_string(workspace().join(".gitignore")).expect(".gitignore");
    for file in secret_files() {
        let file = format!("/{FOLDER}/{file}");
        let is_ignored = ignored.lines().any(|line| file.strip_prefix(line).is_some_and(|rest| rest.starts_with('/')));
        assert!(is_ignored, "git would take {file} in");
    }
    for (name, value) in settings().into_iter().chain(variables()) {
        let tells = ["PASSWORD", "SECRET", "TOKEN", "KEY"].iter().any(|word| name.contains(word));
        assert!(!tells || name.ends_with("_FILE"), "{name} holds a secret");
        if let Ok(url) = reqwest::Url::parse(&value) {
            assert_eq!(url.password(), None, "{name}");
        }
    }
}

#[test]
fn what_the_pod_refers_to_is_generated_and_every_file_is_where_the_program_looks() {
    let (pod, container) = (pod(), container());
    let sources: Vec<(String, String)> = container["envFrom"]
        .as_array()
        .expect("sources")
        .iter()
        .flat_map(|source| source.as_object().expect("a source"))
        .map(|(kind, reference)| (kind.clone(), word(&reference["name"])))
        .collect();
    let [settings_map, secrets] = &sources[..] else { panic!("{sources:?}") };
    assert_eq!((settings_map.0.as_str(), secrets.0.as_str()), ("configMapRef", "secretRef"));
    assert_eq!(words(&generator("configMapGenerator", &settings_map.1)["envs"]), ["settings.env"]);
    assert_eq!(words(&generator("secretGenerator", &secrets.1)["envs"]).len(), 1);

    let volumes = pod["spec"]["volumes"].as_array().expect("volumes").clone();
    let mounts: BTreeMap<String, String> = container["volumeMounts"]
        .as_array()
        .expect("mounts")
        .iter()
        .map(|mount| (word(&mount["name"]), word(&mount["mountPath"])))
        .collect();
    assert_eq!(mounts.len(), volumes.len());
    let secret = volumes.iter().find(|volume| volume["secret"].is_object()).expect("a volume of secrets");
    let files = words(&generator("secretGenerator", &word(&secret["secret"]["secretName"]))["files"]);
    let mounted = files.iter().map(|file| {
        let name = file.rsplit('/').next().expect("a name");
        format!("{}/{name}", mounts[&word(&secret["name"])])
    });
    assert_eq!(mounted.collect::<BTreeSet<_>>(), variables().into_values().collect());
    // Their owner is root, their group the pod's.
    assert_eq!(secret["secret"]["defaultMode"], 0o440);
    assert!(pod["spec"]["securityContext"]["fsGroup"].is_u64());
}

#[test]
fn the_image_is_the_one_of_the_container_file() {
    let image = word(&container()["image"]);
    let build = fs::read_to_string(workspace().join("deploy/Containerfile")).expect("deploy/Containerfile");
    assert!(build.lines().next().is_some_and(|line| line.contains(&format!("-t {image} "))), "{image}");
    let replaced = &kustomization()["images"][0];
    assert_eq!(replaced["name"], image);
    let cargo: toml::Table = fs::read_to_string(workspace().join("Cargo.toml")).unwrap().parse().unwrap();
    assert_eq!(replaced["newTag"].as_str(), cargo["workspace"]["package"]["version"].as_str());
    let user = containerfile::instructions("RUN").into_iter().find(|run| run.contains("useradd")).expect("a user");
    let made: Vec<&str> = user.split(' ').skip_while(|word| *word != "--uid").collect();
    let security = &pod()["spec"]["securityContext"];
    assert_eq!(security["runAsUser"].to_string(), made[1]);
}

#[test]
fn the_advice_at_its_top_names_every_secret() {
    let advice: String = text("kustomization.yaml").lines().take_while(|line| line.starts_with('#')).collect();
    for file in secret_files() {
        let name = file.rsplit('/').next().expect("a name");
        assert!(advice.contains(name), "nobody says how {name} is made");
    }
}
