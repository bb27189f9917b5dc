//! Programs that keep passwords for Docker, and so for everybody: `docker-credential-<name> get` takes a registry on its input and says
//! `{"Username": …, "Secret": …}`.

use std::{process::Stdio, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    time::timeout,
};

use crate::limits::{REGISTRY_HELPER_BYTES, REGISTRY_HELPER_TIME};

/// What such a program says where it has nothing.
const NOTHING: &str = "credentials not found";

/// What it has for a name where the secret is no password but buys one.
const TOKEN_NAME: &str = "<token>";

/// Docker's own registry, as Docker has it in its files.
const DOCKERS_OWN: (&str, &str) = ("index.docker.io", "https://index.docker.io/v1/");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: String,
}

/// Name and password, if the program has them; else why it did not help, in the words of a sentence.
pub type Helped = Result<Option<(String, String)>, String>;

/// Asks the program of this name for a registry.
///
/// # Errors
/// Why it did not help.
pub async fn ask(name: &str, registry: &str) -> Helped {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.bytes().all(is_name) {
        return Err(format!("{name:?} is no name of a program for passwords"));
    }
    run(&format!("docker-credential-{name}"), registry, REGISTRY_HELPER_TIME).await
}

async fn run(program: &str, registry: &str, patience: Duration) -> Helped {
    let failed = |error: std::io::Error| format!("{program} cannot be run: {error}");
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // It may have to ask somebody.
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        let asked = if registry == DOCKERS_OWN.0 { DOCKERS_OWN.1 } else { registry };
        if let Some(mut input) = input {
            // One that does not read has its reasons, and tells them.
            _ = input.write_all(asked.as_bytes()).await;
        }
        let mut said = Vec::new();
        if let Some(output) = output {
            output.take(REGISTRY_HELPER_BYTES).read_to_end(&mut said).await?;
        }
        Ok((child.wait().await?, said))
    };
    let talked = timeout(patience, talk).await;
    let (status, said) =
        talked.map_err(|_| format!("{program} has not answered within {patience:?}"))?.map_err(failed)?;
    if status.success() {
        read(&said).ok_or_else(|| format!("{program} gives no name and password"))
    } else {
        let said = String::from_utf8_lossy(&said);
        // What looks like an answer may have the secret in it.
        match said.trim() {
            words if words.contains(NOTHING) => Ok(None),
            words if words.contains('{') => Err(format!("{program} ended with {status}")),
            words => Err(format!("{program} ended with {status}: {words}")),
        }
    }
}

/// What it says, of which nothing is told where it is something else.
fn read(said: &[u8]) -> Option<Option<(String, String)>> {
    let Answer { username, secret } = serde_json::from_slice(said).ok()?;
    (username != TOKEN_NAME).then_some(Some((username, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run_script(script: &str) -> Helped {
        run_script_within(Duration::from_secs(60), script).await
    }

    async fn run_script_within(patience: Duration, script: &str) -> Helped {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("docker-credential-test");
        // Were it written here, what another test starts might hold it open for a moment, and it could not be run.
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$2" && chmod +x "$2""#;
        let written = std::process::Command::new("sh").args(["-c", write, "sh", script]).arg(&program).status();
        assert!(written.unwrap().success());
        run(program.to_str().unwrap(), "ghcr.io", patience).await
    }

    #[tokio::test]
    async fn a_program_is_asked_for_the_registry() {
        let script = r#"test "$1" = get && test "$(cat)" = ghcr.io && echo '{"ServerURL":"ghcr.io","Username":"ada","Secret":"a:b"}'"#;
        assert_eq!(run_script(script).await, Ok(Some(("ada".to_owned(), "a:b".to_owned()))));
        let script = "echo 'credentials not found in native keychain'; exit 1";
        assert_eq!(run_script(script).await, Ok(None));
    }

    #[tokio::test]
    async fn one_that_does_not_help_says_why_and_no_secret_is_told() {
        let locked = run_script("echo 'the keychain is locked'; exit 1").await.unwrap_err();
        assert!(locked.contains("the keychain is locked") && locked.contains("docker-credential-test"), "{locked}");
        for script in [r#"echo '{"Username":"<token>","Secret":"hunter2"}'"#, "echo hunter2", "exit 0"] {
            let error = run_script(script).await.unwrap_err();
            assert!(error.contains("gives no name and password") && !error.contains("hunter2"), "{error}");
        }
        let failed = run_script(r#"echo '{"Username":"ada","Secret":"hunter2"}'; exit 1"#).await.unwrap_err();
        assert!(failed.contains("ended with") && !failed.contains("hunter2"), "{failed}");
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_given_up() {
        let error = run_script_within(Duration::from_millis(50), "exec sleep 600").await.unwrap_err();
        assert!(error.contains("has not answered"), "{error}");
    }
}
