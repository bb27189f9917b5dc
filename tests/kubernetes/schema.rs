//! Kubernetes would take them.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use plaza_tests::python;

use crate::objects::{all, path, resources, text, word};

/// What the validator said, and whether it was content.
struct Verdict {
    content: bool,
    said: String,
}

/// Compares files with the newest schemas that the validator has; fields that they do not know are faults.
fn validate(files: &[PathBuf]) -> Verdict {
    static PROGRAMS: LazyLock<PathBuf> = LazyLock::new(|| {
        let pins = Path::new(env!("CARGO_MANIFEST_DIR")).join("kubernetes/requirements.txt");
        python::installed("kubernetes-venv", &pins)
    });
    let mut command = Command::new(PROGRAMS.join("kubernetes-validate"));
    let output = command.arg("--strict").args(files).output().expect("kubernetes-validate can be run");
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    Verdict { content: output.status.success(), said }
}

#[test]
fn every_object_is_what_its_schema_says() {
    let files: Vec<PathBuf> =
        resources().iter().map(|name| path(name)).chain([path("../spinkube/relay.yaml")]).collect();
    let Verdict { content, said } = validate(&files);
    assert!(content && !said.contains("WARN"), "{said}");
    // A kind without a schema would be passed over.
    for object in all() {
        let name = format!("{}/{}", word(&object["kind"]).to_lowercase(), word(&object["metadata"]["name"]));
        assert!(said.contains(&format!("passed for resource {name} ")), "nothing was said of {name}\n{said}");
    }
}

#[test]
fn a_field_that_kubernetes_does_not_know_is_found() {
    let manifest = text("deployment.yaml");
    for (field, mistaken) in [
        ("minReadySeconds:", "minimumReadySeconds:"),
        ("maxSkew: 1", "maxSkew: one"),
        ("readOnlyRootFilesystem:", "readOnlyRoot:"),
    ] {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), manifest.replace(field, mistaken)).expect("a file can be written");
        let Verdict { content, said } = validate(&[file.path().to_owned()]);
        assert!(!content && said.contains("did not validate"), "{mistaken}: {said}");
    }
}
