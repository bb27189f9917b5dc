//! The files in `deploy/` against the program that they run: no container is started here, so what can be compared is compared.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output},
};

use plaza_tests::{
    containerfile::instructions,
    setup::{plaza, workspace},
};
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn compose() -> Value {
    serde_saphyr::from_str(&read("deploy/compose.yaml")).expect("YAML")
}

/// A list of words, or nothing.
fn words(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

/// What stands behind a flag.
fn value_of<'a>(words: &'a [String], flag: &str) -> &'a str {
    let at = words.iter().position(|word| word == flag).unwrap_or_else(|| panic!("no {flag} in {words:?}"));
    &words[at + 1]
}

fn run(arguments: &[String], adjust: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(plaza());
    command.args(arguments);
    adjust(&mut command);
    command.output().expect("plaza can be run")
}

#[test]
fn the_program_knows_every_argument_and_variable_that_it_is_given() {
    let shop = &compose()["services"]["shop"];
    let image = instructions("CMD");
    let built_in = words(&serde_json::from_str(&image[0]).expect("a list"));
    let help = String::from_utf8(run(&["up".to_owned(), "--help".to_owned()], |_| {}).stdout).expect("text");
    for command in [built_in, words(&shop["command"])] {
        assert_eq!(command[0], "up");
        let flags = command.iter().filter(|word| word.starts_with("--"));
        flags.for_each(|flag| assert!(help.contains(&format!("{flag} ")), "`plaza up --help` knows no {flag}"));
    }
    let given = shop["environment"].as_object().expect("variables");
    for name in given.keys() {
        assert!(help.contains(&format!("[env: {name}")), "`plaza up --help` knows no {name}");
    }
    // With all of it the program gets as far as the manifest, which is not there.
    let (empty, secret) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let output = run(&words(&shop["command"]), |command| {
        command.current_dir(empty.path());
        command.envs(given.iter().map(|(name, value)| (name, value.as_str().expect("text"))));
        command.env("PLAZA_DATABASE_PASSWORD_FILE", secret.path());
    });
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("spin.toml"), "{error}");
    let asked = words(&shop["healthcheck"]["test"]);
    assert_eq!(asked[..3], ["CMD", "plaza", "status"]);
    assert_eq!(value_of(&asked, "--state-dir"), value_of(&words(&shop["command"]), "--state-dir"));
}

#[test]
fn addresses_name_services_and_ports_that_are_there() {
    let compose = compose();
    let (services, shop) = (&compose["services"], &compose["services"]["shop"]);
    let port = |address: &str| address.rsplit(':').next().expect("a port").to_owned();
    let listen = port(value_of(&words(&shop["command"]), "--listen"));
    let published: Vec<String> = words(&shop["ports"]).iter().map(|published| port(published)).collect();
    assert_eq!((published, instructions("EXPOSE")), (vec![listen.clone()], vec![listen]));

    let kafka = &services["kafka"]["environment"];
    let brokers = shop["environment"]["PLAZA_KAFKA"].as_str().expect("brokers");
    assert_eq!(kafka["KAFKA_ADVERTISED_LISTENERS"], format!("PLAINTEXT://{brokers}"));
    let (host, port) = brokers.split_once(':').expect("host:port");
    assert!(services[host].is_object(), "no service {host}");
    let listeners = kafka["KAFKA_LISTENERS"].as_str().expect("listeners");
    assert!(listeners.contains(&format!("PLAINTEXT://:{port}")), "{listeners}");

    let url = shop["environment"]["PLAZA_DATABASE_URL"].as_str().expect("an address");
    let url = reqwest::Url::parse(url).expect("an address");
    let host = url.host_str().expect("a host");
    assert_eq!(services[host]["environment"]["POSTGRES_USER"], url.username());
    for needed in shop["depends_on"].as_object().expect("services").keys() {
        assert!(services[needed]["healthcheck"].is_object(), "{needed} never says that it is ready");
    }
}

#[test]
fn volumes_networks_and_secrets_are_declared_and_no_secret_stands_in_the_file() {
    let compose = compose();
    let declared = |kind: &str| compose[kind].as_object().expect("a table").keys().cloned().collect::<BTreeSet<_>>();
    let mut used: [BTreeSet<String>; 3] = Default::default();
    for (name, service) in compose["services"].as_object().expect("services") {
        let volumes = words(&service["volumes"]);
        used[0].extend(volumes.iter().filter_map(|volume| volume.split(':').next().map(str::to_owned)));
        used[1].extend(words(&service["networks"]));
        used[2].extend(words(&service["secrets"]));
        for (variable, value) in service["environment"].as_object().expect("variables") {
            let value = value.as_str().expect("text");
            let tells = ["PASSWORD", "SECRET", "TOKEN", "KEY"].iter().any(|word| variable.contains(word));
            assert!(!tells || variable.ends_with("_FILE"), "{name}: {variable} holds a secret");
            if let Ok(url) = reqwest::Url::parse(value) {
                assert_eq!(url.password(), None, "{name}: {variable}");
            }
            if let Some(secret) = value.strip_prefix("/run/secrets/") {
                assert!(words(&service["secrets"]).contains(&secret.to_owned()), "{name} is not given {secret}");
            }
        }
        assert!(service["healthcheck"].is_object() && service["restart"].is_string(), "{name}");
    }
    assert_eq!(used, ["volumes", "networks", "secrets"].map(declared));
    for secret in compose["secrets"].as_object().expect("secrets").values() {
        let file = secret["file"].as_str().expect("a file").trim_start_matches("./");
        let ignored =
            read(".gitignore").lines().any(|line| format!("deploy/{file}").starts_with(line.trim_start_matches('/')));
        assert!(ignored, "git would take {file} in");
    }
    let shop = &compose["services"]["shop"];
    let kept = format!(":{}", value_of(&words(&shop["command"]), "--state-dir"));
    assert!(words(&shop["volumes"]).iter().any(|volume| volume.ends_with(&kept)), "the state is not kept");
    assert_eq!(instructions("VOLUME"), [&kept[1..]]);
}

#[test]
fn versions_are_those_that_are_tested() {
    let compose = compose();
    let toolchain: Vec<String> = read("rust-toolchain.toml").split('"').map(str::to_owned).collect();
    let bases = instructions("FROM");
    assert!(bases[0].starts_with(&format!("docker.io/library/rust:{}-", toolchain[1])), "{bases:?}");
    let pom = read("tests/kafka-broker/pom.xml");
    let image = compose["services"]["kafka"]["image"].as_str().expect("an image");
    let version = image.rsplit(':').next().expect("a version");
    assert!(pom.contains(&format!("<version>{version}</version>")), "the tests' broker is not {version}");
    for service in ["postgres", "kafka"] {
        let image = compose["services"][service]["image"].as_str().expect("an image");
        assert!(image.starts_with("docker.io/") && image.matches(':').count() == 1, "{image}: registry and version");
    }
}

#[test]
fn what_the_image_is_built_of_is_there_and_not_ignored() {
    let shop = compose()["services"]["shop"]["build"].clone();
    let context = workspace().join("deploy").join(shop["context"].as_str().expect("a folder"));
    assert_eq!(context.canonicalize().unwrap(), workspace().canonicalize().unwrap());
    assert!(context.join(shop["dockerfile"].as_str().expect("a file")).is_file());
    let let_in = read("deploy/Containerfile.dockerignore");
    let let_in: BTreeSet<&str> = let_in.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let mut copied = BTreeSet::new();
    for copy in instructions("COPY").iter().filter(|copy| !copy.starts_with("--from")) {
        let words: Vec<&str> = copy.split(' ').collect();
        copied.extend(words[..words.len() - 1].iter().map(|word| (*word).to_owned()));
    }
    for name in &copied {
        assert!(workspace().join(name).exists(), "{name} is not there");
    }
    assert_eq!(let_in, copied.iter().map(String::as_str).collect());
    // Whatever cargo needs to know the workspace is among it.
    let manifest = read("Cargo.toml");
    let members = manifest.lines().find(|line| line.starts_with("members")).expect("members");
    for member in members.split('"').skip(1).step_by(2) {
        let folder = member.split('/').next().expect("a folder");
        assert!(copied.contains(folder), "{member} is not copied");
    }
}

#[test]
fn what_the_image_holds_is_all_that_the_manifest_names() {
    let build = instructions("RUN").remove(0);
    let copying = build.split("&&").map(str::trim).find(|step| step.starts_with("cp --parents")).expect("it copies");
    assert!(build.contains("make build"), "{build}");
    let image = tempfile::tempdir().unwrap();
    let copying = copying.strip_suffix(" /plaza").expect("where to");
    let script = format!("{copying} '{}'", image.path().display());
    let done = Command::new("sh").args(["-c", &script]).current_dir(workspace()).status().expect("a shell");
    assert!(done.success(), "{script}");
    let checked = run(&["check".to_owned()], |command| _ = command.current_dir(image.path()));
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(checked.status.success() && text.contains("no faults"), "{text}");
    assert_eq!(instructions("WORKDIR").last().map(String::as_str), Some("/plaza"));
}
