//! The application's variables, as the command line, a runtime config and the environment set them. They may be secrets: no message repeats a text
//! that is not known to be a name.

use std::{collections::BTreeMap, fs, io, path::Path};

use anyhow::{Context, bail};

use super::options::text_in;
use crate::{
    app::from_environment,
    manifest::runtime_config::{PREFIX, Provider},
};

/// The file that adds to the environment: in the working folder, as under Spin, and beside the manifest.
const ENVIRONMENT_FILE: &str = ".env";

/// What the values of `--variable` set, the last one of a name counting: `name=value`, `name=@file` for what is in the file, or
/// `@file.json` and `@file.toml` for a table of names and values.
///
/// # Errors
/// Which of them is not written as it must be, by its place, and what is wrong with its file.
pub fn given(texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    for (text, place) in texts.iter().zip(1..) {
        let set = match text.strip_prefix('@') {
            Some(file) => in_file(Path::new(file)),
            None => one(text),
        };
        values.extend(set.with_context(|| format!("--variable number {place} sets nothing"))?);
    }
    Ok(values)
}

fn one(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let name = name.trim();
    if !is_name(name) {
        bail!("write it as name=value, name=@file, @file.toml or @file.json");
    }
    let value = match value.strip_prefix('@') {
        Some(file) => text_in(Path::new(file))?,
        None => value.to_owned(),
    };
    Ok([(name.to_owned(), value)].into())
}

fn in_file(file: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let text = || fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()));
    let extension = file.extension().and_then(|extension| extension.to_str());
    // What a parser says may show a line of the file, and with it a secret.
    let table: Option<BTreeMap<String, String>> = match extension {
        Some("json") => serde_json::from_str(&text()?).ok(),
        Some("toml") => toml::from_str(&text()?).ok(),
        _ => bail!("what follows a bare `@` is a file that ends in .toml or .json"),
    };
    let table = table.with_context(|| {
        let name = file.display();
        format!("{name} is no table of names and texts; write it as `name = \"value\"` (.toml) or {{\"name\": \"value\"}} (.json)")
    })?;
    if !table.keys().all(|name| is_name(name)) {
        bail!("{} has a name that no variable can have; use small letters, digits and `_`", file.display());
    }
    Ok(table)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What a runtime config's providers set, the first of them counting; where they do not, the environment by
/// `SPIN_VARIABLE_<NAME>`; then a file `.env` in the working folder, and then one in this folder.
///
/// # Errors
/// When there is such a file and it cannot be read.
pub fn around(folder: &Path, providers: &[Provider]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = lines(&folder.join(ENVIRONMENT_FILE), PREFIX)?;
    values.extend(environment(PREFIX, Some(Path::new(ENVIRONMENT_FILE)))?);
    for provider in providers.iter().rev() {
        match provider {
            Provider::Fixed(fixed) => values.extend(fixed.clone()),
            Provider::Environment { prefix, file } => values.extend(environment(prefix, file.as_deref())?),
        }
    }
    Ok(values)
}

fn environment(prefix: &str, file: Option<&Path>) -> anyhow::Result<BTreeMap<String, String>> {
    let mut values = file.map(|file| lines(file, prefix)).transpose()?.unwrap_or_default();
    values.extend(from_environment(prefix, std::env::vars()));
    Ok(values)
}

/// What a file of NAME=value sets; nothing where there is none, as under Spin.
fn lines(file: &Path, prefix: &str) -> anyhow::Result<BTreeMap<String, String>> {
    match dotenvy::from_path_iter(file) {
        Ok(lines) => {
            let lines: Result<Vec<_>, _> = lines.collect();
            Ok(from_environment(prefix, lines.map_err(|error| wrong(file, &error))?.into_iter()))
        }
        Err(dotenvy::Error::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(wrong(file, &error)),
    }
}

fn wrong(file: &Path, error: &dotenvy::Error) -> anyhow::Error {
    let file = file.display();
    match error {
        dotenvy::Error::Io(error) => anyhow::anyhow!("cannot read {file}: {error}"),
        // It would repeat the line.
        _ => anyhow::anyhow!("{file} has a line that is not NAME=value; put quotes around a value with blanks or `#`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_variable_that_is_not_written_as_one_is_told_by_its_place_alone() {
        for wrong in ["admin_password:hunter2", "admin_password:hunter2=", "=hunter2", "hunter2", ""] {
            let error = format!("{:#}", given(&texts(&["colour=a=b", wrong])).unwrap_err());
            assert!(error.contains("--variable number 2") && !error.contains("hunter2"), "{error}");
        }
        let found = given(&texts(&["colour=a=b", "empty="])).unwrap();
        assert_eq!(found, [("colour".to_owned(), "a=b".to_owned()), ("empty".to_owned(), String::new())].into());
    }

    #[test]
    fn values_come_from_files_and_the_last_one_of_a_name_counts() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let one = file("one", "from a file\n");
        let toml = file("all.toml", "colour = \"red\"\nsize = \"9\"\n");
        let json = file("all.json", "{\"colour\": \"green\"}");
        let found =
            given(&texts(&[&format!("@{toml}"), &format!("@{json}"), &format!("tone=@{one}"), "size=10"])).unwrap();
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("colour", "green"), ("size", "10"), ("tone", "from a file")]);

        let wrong = file("wrong.toml", "password = hunter2");
        let nested = file("nested.json", "{\"password\": {\"of\": \"hunter2\"}}");
        let named = file("named.toml", "\"hunter2 =\" = \"a\"");
        for (text, part) in [
            (format!("@{wrong}"), "no table"),
            (format!("@{nested}"), "no table"),
            (format!("@{named}"), "no variable can have"),
            (format!("@{one}"), ".toml or .json"),
            ("@/nowhere.toml".to_owned(), "cannot read /nowhere.toml"),
            ("tone=@/nowhere".to_owned(), "cannot read /nowhere"),
        ] {
            let error = format!("{:#}", given(&[text]).unwrap_err());
            assert!(error.contains("--variable number 1") && error.contains(part), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_beside_the_manifest_adds_to_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!around(folder.path(), &[]).unwrap().contains_key("tone"));
        let file = folder.path().join(".env");
        fs::write(&file, "# a note\nSPIN_VARIABLE_TONE=\"warm # and kind\"\nPATH=/nowhere\n").unwrap();
        assert_eq!(around(folder.path(), &[]).unwrap()["tone"], "warm # and kind");
        fs::write(&file, "SPIN_VARIABLE_PASSWORD=hunter2 hunter3\n").unwrap();
        let error = around(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains(".env") && !error.contains("hunter"), "{error}");
    }

    #[test]
    fn providers_go_before_the_environment_the_first_of_them_before_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("house.env");
        fs::write(
            folder.path().join(".env"),
            "SPIN_VARIABLE_TONE=warm\nSPIN_VARIABLE_SIZE=9\nSPIN_VARIABLE_SHAPE=round\n",
        )
        .unwrap();
        fs::write(&file, "HOUSE_TONE=cold\nHOUSE_SIZE=10\nSPIN_VARIABLE_SHAPE=square\n").unwrap();
        let fixed = Provider::Fixed([("tone".to_owned(), "fixed".to_owned())].into());
        let environment =
            |file: &Path| Provider::Environment { prefix: "HOUSE".to_owned(), file: Some(file.to_owned()) };
        let found = |providers: &[Provider]| {
            let values = around(folder.path(), providers).unwrap();
            ["tone", "size", "shape"].map(|name| values[name].clone())
        };
        assert_eq!(found(&[fixed.clone(), environment(&file)]), ["fixed", "10", "round"]);
        assert_eq!(found(&[environment(&file), fixed]), ["cold", "10", "round"]);
        assert_eq!(found(&[environment(&folder.path().join("nowhere"))]), ["warm", "9", "round"]);
    }
}
