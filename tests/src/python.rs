//! Tools in Python, which come from PyPI.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::setup::workspace;

/// Where there is no Python.
const NO_PYTHON: &str = "this test needs Python 3.10 or later with its module venv: \
                         `apt install python3-venv` on Debian, `brew install python` on macOS";

/// Installs what the file `pins` names into an environment of its own in the build folder, once for each version of the file, and
/// returns the folder of its programs.
pub fn installed(environment: &str, pins: &Path) -> PathBuf {
    let pinned = std::fs::read_to_string(pins).expect("the pins are there");
    let folder = workspace().join("target").join(environment);
    let stamp = folder.join("installed.txt");
    if std::fs::read_to_string(&stamp).ok().as_deref() != Some(&pinned) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder), NO_PYTHON);
        let mut pip = Command::new(folder.join("bin/python"));
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
        run(pip.args(install).arg(pins), &format!("PyPI has what {} names", pins.display()));
        std::fs::write(&stamp, &pinned).expect("the build folder can be written");
    }
    folder.join("bin")
}

fn run(command: &mut Command, need: &str) {
    let output = command.output().unwrap_or_else(|error| panic!("{need} ({error})"));
    let printed = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success(), "{need}\n{printed}");
}
