//! Names and passwords for registries, kept as Docker keeps them: `{"auths": {"<registry>": {"auth": "<base64 of name:password>"}}}`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    credential_helper::{self, Helped},
    error::{RegistryError, failed},
    host::within,
    path_variable,
    remote::Remote,
    settings_folder,
};

/// Names the one file to look into, and to write.
const FILE_VARIABLE: &str = "REGISTRY_AUTH_FILE";

/// Where passwords are looked for.
#[derive(Clone, Default)]
pub struct Credentials {
    /// The first that knows a registry counts. It is this program's own; the others are somebody else's.
    files: Vec<PathBuf>,
    /// Those of others that cannot be read, and were told of.
    told: Arc<Mutex<BTreeSet<PathBuf>>>,
    /// What programs have said, by their names and the registry: they may ask somebody each time.
    helped: Arc<Mutex<BTreeMap<(String, String), Helped>>>,
}

/// What is known of a registry.
#[derive(Default)]
pub struct Login {
    pair: Option<(String, String)>,
    helper: Option<String>,
}

impl Login {
    /// These are known.
    pub fn with(pair: (String, String)) -> Self {
        Self { pair: Some(pair), helper: None }
    }

    /// Name and password.
    pub fn pair(&self) -> Option<&(String, String)> {
        self.pair.as_ref()
    }

    /// Why the program did not help to which a file leaves the registry's password, where none was found.
    pub fn helper(&self) -> Option<&str> {
        self.helper.as_deref()
    }
}

impl Credentials {
    /// The files of this user: Plaza's own, then Spin's, then Docker's; or the one that is named in `REGISTRY_AUTH_FILE`.
    pub fn of_this_user() -> Self {
        if let Some(file) = path_variable(FILE_VARIABLE) {
            return Self { files: vec![file], ..Self::default() };
        }
        let docker = path_variable("DOCKER_CONFIG").or_else(|| Some(path_variable("HOME")?.join(".docker")));
        let settings = settings_folder();
        let own = settings.as_ref().map(|folder| folder.join("plaza/registry.json"));
        let spin = settings.as_ref().map(|folder| folder.join("fermyon/registry-auth.json"));
        let files = [own, spin, docker.map(|folder| folder.join("config.json"))].into_iter().flatten().collect();
        Self { files, ..Self::default() }
    }

    /// What is known of a registry: what stands in a file, or what the program says to which it leaves passwords. A file of somebody else's
    /// that cannot be read is told once, and passed over.
    ///
    /// # Errors
    /// A file of one's own that cannot be read.
    pub async fn of(&self, registry: &str) -> Result<Login, RegistryError> {
        let mut helper = None;
        for (place, file) in self.files.iter().enumerate() {
            let document = match document(file) {
                Err(error) if place > 0 => {
                    self.warn(file, &error);
                    continue;
                }
                document => document?,
            };
            let names = [registry.to_owned(), format!("https://{registry}"), format!("https://{registry}/v1/")];
            let entry = |name: &String| document.get("auths")?.get(name);
            if let Some(found) = names.iter().find_map(|name| decoded(entry(name)?)) {
                return Ok(Login::with(found));
            }
            let of_registry = |name: &String| document.get("credHelpers")?.get(name);
            let program = names.iter().find_map(of_registry).or_else(|| document.get("credsStore"));
            let Some(program) = program.and_then(Value::as_str).filter(|name| !name.is_empty()) else { continue };
            match self.ask(program, registry).await {
                Ok(Some(found)) => return Ok(Login::with(found)),
                Ok(None) => {}
                Err(why) => {
                    _ = helper.get_or_insert_with(|| format!("{why}, and {} leaves passwords to it", file.display()))
                }
            }
        }
        Ok(Login { pair: None, helper })
    }

    async fn ask(&self, program: &str, registry: &str) -> Helped {
        let key = (program.to_owned(), registry.to_owned());
        let known = self.helped.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(helped) = known {
            return helped;
        }
        let helped = credential_helper::ask(program, registry).await;
        self.helped.lock().unwrap_or_else(PoisonError::into_inner).insert(key, helped.clone());
        helped
    }

    fn warn(&self, file: &Path, error: &RegistryError) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned()) {
            eprintln!("warning: {error}");
        }
    }

    /// Keeps name and password for a registry; returns where.
    fn keep(&self, registry: &str, name: &str, password: &str) -> Result<PathBuf, RegistryError> {
        let file = self.files.first().ok_or(RegistryError::NoHome)?;
        let place = behind_links(file).map_err(failed("write", file))?;
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed("make", folder))?;
        // What another login has kept in the meantime stays.
        let lock =
            fs::File::open(folder).and_then(|lock| lock.lock().map(|()| lock)).map_err(failed("lock", folder))?;
        let mut document = document(&place)?;
        let auth = json!({ "auth": BASE64_STANDARD.encode(format!("{name}:{password}")) });
        let auths = document.entry("auths").or_insert_with(|| Map::new().into());
        match auths {
            Value::Object(auths) => _ = auths.insert(registry.to_owned(), auth),
            other => *other = json!({ registry: auth }),
        }
        replace(&place, folder, &Value::from(document).to_string()).map_err(failed("write", &place))?;
        drop(lock);
        Ok(file.clone())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("files", &self.files).finish_non_exhaustive()
    }
}

/// Tries a name and a password at a registry (`host` or `host:port`), and keeps them if they are let in; returns where.
///
/// # Errors
/// What is no registry by itself, what the registry says, and a file that cannot be written. Then nothing is kept.
pub async fn log_in(registry: &str, insecure: bool, name: &str, password: &str) -> Result<PathBuf, RegistryError> {
    let registry = registry.trim_start_matches("https://").trim_end_matches('/');
    let reference = within(registry, "plaza/login")?;
    Remote::of(&reference, insecure, Login::default())?.try_password(name, password).await?;
    Credentials::of_this_user().keep(reference.registry(), name, password)
}

/// The file's table; empty where there is no file.
fn document(file: &Path) -> Result<Map<String, Value>, RegistryError> {
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(error) => return Err(failed("read", file)(error)),
    };
    // What the parser says may show a part of the file.
    serde_json::from_slice(&text)
        .map_err(|_| RegistryError::Credentials { file: file.to_owned(), cause: "it is no table in JSON".to_owned() })
}

/// Name and password. Spin writes the text where Docker writes a table; with an identity token Docker leaves the password empty.
fn decoded(auth: &Value) -> Option<(String, String)> {
    let text = auth.as_str().or_else(|| auth.get("auth")?.as_str())?;
    let text = String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    let by_token = password.is_empty() && auth.get("identitytoken").is_some();
    (!by_token).then(|| (name.to_owned(), password.to_owned()))
}

/// Where a file is that is perhaps a link to another, which need not be there.
fn behind_links(file: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(file), fs::read_link(file)) {
        (Err(error), Ok(to)) if error.kind() == io::ErrorKind::NotFound => {
            Ok(file.parent().unwrap_or(Path::new("")).join(to))
        }
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => Ok(file.to_owned()),
        (found, _) => found,
    }
}

/// Writes a file anew that this user alone may read.
fn replace(file: &Path, folder: &Path, text: &str) -> io::Result<()> {
    let mut new = tempfile::Builder::new().prefix(".unfinished").tempfile_in(folder)?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn in_file(file: &Path) -> Credentials {
        Credentials { files: vec![file.to_owned()], ..Credentials::default() }
    }

    fn of(kept: &Credentials, registry: &str) -> Result<Login, RegistryError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(kept.of(registry))
    }

    fn pair(kept: &Credentials, registry: &str) -> Option<(String, String)> {
        of(kept, registry).unwrap().pair
    }

    #[test]
    fn what_is_kept_is_found_and_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/down/registry.json");
        let kept = in_file(&file);
        assert_eq!(pair(&kept, "ghcr.io"), None);
        kept.keep("ghcr.io", "ada", "a:b c").unwrap();
        kept.keep("localhost:5000", "bob", "").unwrap();
        assert_eq!(pair(&kept, "ghcr.io"), Some(("ada".to_owned(), "a:b c".to_owned())));
        assert_eq!(pair(&kept, "localhost:5000"), Some(("bob".to_owned(), String::new())));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{kept:?}").contains("ada"));
    }

    #[test]
    fn what_docker_and_spin_have_kept_is_found_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        let (docker, spin) = (BASE64_STANDARD.encode("ada:one"), BASE64_STANDARD.encode("bob:two"));
        let text = json!({ "credsStore": "no-such-program", "auths": {
            "https://index.docker.io/v1/": { "auth": docker }, "ghcr.io": spin, "broken": { "auth": "%" }, "none": {} } });
        fs::write(&file, text.to_string()).unwrap();
        let kept = in_file(&file);
        assert_eq!(pair(&kept, "index.docker.io"), Some(("ada".to_owned(), "one".to_owned())));
        assert_eq!(pair(&kept, "ghcr.io"), Some(("bob".to_owned(), "two".to_owned())));
        assert_eq!((pair(&kept, "broken"), pair(&kept, "none")), (None, None));
        kept.keep("localhost", "eve", "three").unwrap();
        assert!(fs::read_to_string(&file).unwrap().contains("no-such-program"));
        assert!(pair(&kept, "ghcr.io").is_some());
    }

    #[test]
    fn a_broken_file_is_told_without_a_word_of_what_is_in_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hunter2").unwrap();
        let error = of(&in_file(file.path()), "ghcr.io").err().unwrap().to_string();
        assert!(error.contains("mend or remove it") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_file_of_somebody_else_that_cannot_be_read_refuses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [own, docker] = ["own.json", "config.json"].map(|name| folder.path().join(name));
        fs::write(&docker, "{ broken").unwrap();
        let kept = Credentials { files: vec![own, docker.clone()], ..Credentials::default() };
        assert_eq!(pair(&kept, "ghcr.io"), None);
        assert_eq!(pair(&kept, "ghcr.io"), None);
        assert_eq!(*kept.told.lock().unwrap(), BTreeSet::from([docker]));
    }

    #[test]
    fn an_identity_token_is_no_empty_password_and_a_program_that_does_not_help_is_told_of() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let auth = BASE64_STANDARD.encode("ada:");
        let text = json!({ "credHelpers": { "gcr.io": "no-such-program" }, "auths": { "azurecr.io": { "auth": auth, "identitytoken": "secret" } } });
        fs::write(file.path(), text.to_string()).unwrap();
        let kept = in_file(file.path());
        assert_eq!(pair(&kept, "azurecr.io"), None);
        assert_eq!(of(&kept, "azurecr.io").unwrap().helper(), None);
        let why = of(&kept, "gcr.io").unwrap().helper().unwrap().to_owned();
        assert!(
            why.contains("docker-credential-no-such-program") && why.contains(file.path().to_str().unwrap()),
            "{why}"
        );
        fs::write(file.path(), r#"{ "credsStore": "../bin/sh" }"#).unwrap();
        assert!(of(&kept, "azurecr.io").unwrap().helper().unwrap().contains("is no name"));
    }

    #[test]
    fn a_link_stays_one_and_logins_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [real, link] = ["real.json", "link.json"].map(|name| folder.path().join(name));
        symlink("real.json", &link).unwrap();
        let kept = in_file(&link);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let kept = &kept;
                scope.spawn(move || kept.keep(&format!("r{number}.example"), "ada", "secret").unwrap());
            }
        });
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && real.is_file());
        for number in 0..8 {
            assert!(pair(&kept, &format!("r{number}.example")).is_some(), "{number}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn a_password_is_sent_to_nobody_but_the_registry_that_is_named() {
        for registry in ["myregistry", "ghcr.io/somebody", "http://ghcr.io", "", "a b"] {
            let error = log_in(registry, false, "ada", "hunter2").await.unwrap_err().to_string();
            assert!(error.contains("ghcr.io") && !error.contains("hunter2"), "{registry}: {error}");
        }
        let error = log_in("myregistry", false, "ada", "hunter2").await.unwrap_err().to_string();
        assert!(error.contains("`myregistry:443`"), "{error}");
    }
}
