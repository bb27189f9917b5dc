//! Components and dependencies that a manifest takes from elsewhere: by a URL and a digest, or by the name of a package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use http::StatusCode;
use oci_client::manifest::OciImageManifest;
use reqwest::Url;
use serde::Deserialize;

use super::{
    contents::{hashed, too_much},
    credentials::Credentials,
    error::{RegistryError, failed},
    host::within,
    locked::digest_of,
    media,
    reference::Reference,
    refusal::unanswered,
    remote::Remote,
    web::{self, Insecure, body},
};
use crate::{
    limits::{REGISTRY_BLOB_BYTES, REGISTRY_WELL_KNOWN_BYTES},
    manifest::{App, app::Download},
    tls,
};

/// Where a registry of packages says where these are.
const WELL_KNOWN: &str = ".well-known/wasm-pkg/registry.json";

/// What it says there: today in a table, and beside it as `wkg` had it before.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WellKnown {
    oci: Packages,
    oci_registry: Option<String>,
    oci_namespace_prefix: Option<String>,
}

/// The OCI registry in which the packages are.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Packages {
    registry: Option<String>,
    namespace_prefix: Option<String>,
}

/// What could not be fetched, and why.
pub type Failure<'a> = (&'a Download, RegistryError);

/// Fetches what is not there; `tell` hears of each before it is fetched, and which digest a package has.
///
/// # Errors
/// The first that cannot be had, or is not what it must be. Nothing half done is left where it would be used.
pub async fn fetch(
    app: &App,
    insecure: &Insecure,
    credentials: &Credentials,
    tell: impl Fn(&str),
) -> Result<(), RegistryError> {
    for download in app.downloads() {
        one(app.base(), download, insecure, credentials, &tell).await?;
    }
    Ok(())
}

/// The same, of all that there is, whatever becomes of the others.
pub async fn fetch_each<'a>(
    app: &'a App,
    insecure: &Insecure,
    credentials: &Credentials,
    tell: impl Fn(&str),
) -> Vec<Failure<'a>> {
    let mut failures = Vec::new();
    for download in app.downloads() {
        let fetched = one(app.base(), download, insecure, credentials, &tell).await;
        failures.extend(fetched.err().map(|error| (download, error)));
    }
    failures
}

async fn one(
    base: &Path,
    download: &Download,
    insecure: &Insecure,
    credentials: &Credentials,
    tell: &impl Fn(&str),
) -> Result<(), RegistryError> {
    let file = base.join(download.file());
    if is_there(download, &file)? {
        return Ok(());
    }
    tell(&format!("fetching {}", shown(download)));
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let unfinished = tempfile::Builder::new().prefix(".unfinished").tempfile_in(folder);
    let unfinished = unfinished.map_err(failed("write", folder))?;
    let mut digest = None;
    match download {
        Download::Url { url, sha256 } => by_url(url, sha256, insecure, unfinished.path()).await?,
        Download::Package { registry, namespace, name, version } => {
            let place = place(registry, insecure).await?;
            let reference = place.reference(registry, namespace, name, version)?;
            let found = package(&reference, insecure, credentials, unfinished.path()).await?;
            tell(&format!("fetched {}: {found}", shown(download)));
            digest = Some(found);
        }
    }
    unfinished.as_file().sync_all().map_err(failed("write", &file))?;
    if let Some(found) = &digest {
        keep_digest(download, found, &file)?;
    }
    unfinished.persist(&file).map_err(|error| failed("write", &file)(error.error))?;
    Ok(())
}

/// Whether it is there, and is what it must be: what the manifest says, or what came when it was first fetched.
fn is_there(download: &Download, file: &Path) -> Result<bool, RegistryError> {
    if !file.is_file() {
        return Ok(false);
    }
    let expected = match download {
        Download::Url { sha256, .. } => Some(format!("sha256:{sha256}")),
        Download::Package { .. } => kept_digest(&digest_file(file)),
    };
    let (found, _) = hashed(file).map_err(failed("read", file))?;
    Ok(expected.is_some_and(|expected| expected == found))
}

/// Where it is kept which digest a package had when it was first fetched.
fn digest_file(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".sha256");
    beside.into()
}

/// What is kept there, in the form of `sha256sum`.
fn kept_digest(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let digest = format!("sha256:{}", text.split_whitespace().next()?);
    digest_of(&digest).is_some().then_some(digest)
}

/// Keeps the digest of a package beside its file, or holds it against that which is kept.
fn keep_digest(download: &Download, found: &str, file: &Path) -> Result<(), RegistryError> {
    let beside = digest_file(file);
    match kept_digest(&beside) {
        Some(expected) if expected == found => Ok(()),
        Some(expected) => {
            let (package, found) = (shown(download), found.to_owned());
            Err(RegistryError::OtherPackage { package, expected, found, file: beside })
        }
        None => {
            let (digits, name) = (found.trim_start_matches("sha256:"), file.file_name().unwrap_or_default());
            let line = format!("{digits}  {}\n", name.display());
            fs::write(&beside, line).map_err(failed("write", &beside))
        }
    }
}

/// What is fetched, without anything that may be secret.
fn shown(download: &Download) -> String {
    match download {
        Download::Url { url, .. } => without_secrets(url),
        Download::Package { .. } => download.to_string(),
    }
}

/// An address without name, password, query and fragment.
fn without_secrets(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "an address that cannot be read".to_owned() };
    // It fails where there is no host, and so no password either.
    _ = url.set_password(None);
    _ = url.set_username("");
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

async fn by_url(url: &str, sha256: &str, insecure: &Insecure, into: &Path) -> Result<(), RegistryError> {
    let told = without_secrets(url);
    let host = told.split('/').nth(2).unwrap_or(&told).to_owned();
    let mut answer = answer(url, &host, insecure).await?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            return Err(RegistryError::Absent { what: told, registry: host });
        }
        status => {
            return Err(RegistryError::Refused { registry: host, cause: format!("{told} is answered with {status}") });
        }
    }
    let mut bytes = 0;
    let mut file = tokio::fs::File::create(into).await.map_err(failed("write", into))?;
    while let Some(piece) = answer.chunk().await.map_err(|error| unanswered(host.clone(), error))? {
        bytes += piece.len() as u64;
        if bytes > REGISTRY_BLOB_BYTES {
            return Err(too_much(told, bytes, REGISTRY_BLOB_BYTES));
        }
        tokio::io::AsyncWriteExt::write_all(&mut file, &piece).await.map_err(failed("write", into))?;
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(failed("write", into))?;
    let (found, _) = hashed(into).map_err(failed("read", into))?;
    let expected = format!("sha256:{sha256}");
    if found == expected { Ok(()) } else { Err(RegistryError::OtherFile { url: told, expected, found }) }
}

async fn answer(url: &str, host: &str, insecure: &Insecure) -> Result<reqwest::Response, RegistryError> {
    let mut trusted = tls::mozilla();
    trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let client = web::client(trusted, insecure.clone(), host)?;
    client.get(url).send().await.map_err(|error| unanswered(host.to_owned(), error))
}

/// Where the packages of a registry are: what it says of itself, else there.
async fn place(registry: &str, insecure: &Insecure) -> Result<Packages, RegistryError> {
    let scheme = insecure.scheme(registry);
    let answer = answer(&format!("{scheme}://{registry}/{WELL_KNOWN}"), registry, insecure).await?;
    if answer.status() != StatusCode::OK {
        return Ok(Packages::default());
    }
    let what = format!("{WELL_KNOWN} of {registry}");
    let text = body(answer, registry, &what, REGISTRY_WELL_KNOWN_BYTES as u64).await?;
    // A page that answers everything says nothing.
    Ok(serde_json::from_slice::<WellKnown>(&text).unwrap_or_default().packages())
}

impl WellKnown {
    fn packages(self) -> Packages {
        Packages {
            registry: self.oci.registry.or(self.oci_registry),
            namespace_prefix: self.oci.namespace_prefix.or(self.oci_namespace_prefix),
        }
    }
}

impl Packages {
    fn reference(
        &self,
        registry: &str,
        namespace: &str,
        name: &str,
        version: &str,
    ) -> Result<Reference, RegistryError> {
        let place = self.registry.as_deref().unwrap_or(registry);
        let (host, folder) = place.split_once('/').unwrap_or((place, ""));
        let folder = if folder.is_empty() { String::new() } else { format!("{}/", folder.trim_end_matches('/')) };
        let prefix = self.namespace_prefix.as_deref().unwrap_or_default();
        // A tag has no `+`.
        within(host, &format!("{folder}{prefix}{namespace}/{name}:{}", version.replace('+', "_")))
    }
}

/// Writes a package's component into a file; returns its digest.
async fn package(
    reference: &Reference,
    insecure: &Insecure,
    credentials: &Credentials,
    into: &Path,
) -> Result<String, RegistryError> {
    let registry = reference.registry();
    let remote = Remote::of(reference, insecure.allows(registry), credentials.of(registry)?)?;
    let (text, _): (Bytes, String) = remote.manifest().await?;
    let refused = |why: &str| RegistryError::NoComponent { reference: reference.to_string(), why: why.to_owned() };
    let manifest: OciImageManifest = serde_json::from_slice(&text).map_err(|error| refused(&error.to_string()))?;
    let [layer] = manifest.layers.as_slice() else { return Err(refused("it has not one layer but several, or none")) };
    if ![media::PACKAGE, media::COMPONENT].contains(&layer.media_type.as_str()) {
        return Err(refused(&format!("its layer is of the type {:?}", layer.media_type)));
    }
    if digest_of(&layer.digest).is_none() {
        return Err(refused(&format!("its layer has the digest {:?}, and only sha256 is taken", layer.digest)));
    }
    let bytes = u64::try_from(layer.size).unwrap_or(u64::MAX);
    if bytes > REGISTRY_BLOB_BYTES {
        return Err(too_much(reference.to_string(), bytes, REGISTRY_BLOB_BYTES));
    }
    remote.fetch(&layer.digest, bytes, into).await?;
    Ok(layer.digest.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_where_their_registry_says_or_in_it() {
        let said: WellKnown = serde_json::from_str(
            r#"{ "preferredProtocol": "oci", "oci": { "registry": "ghcr.io", "namespacePrefix": "bytecodealliance/" } }"#,
        )
        .unwrap();
        let place =
            |packages: Packages| packages.reference("example.com:5000", "some", "web", "1.0.0+x").unwrap().to_string();
        assert_eq!(place(said.packages()), "ghcr.io/bytecodealliance/some/web:1.0.0_x");
        assert_eq!(place(Packages::default()), "example.com:5000/some/web:1.0.0_x");
    }

    #[test]
    fn what_older_registries_say_of_themselves_is_understood() {
        let place = |text: &str| {
            let said: WellKnown = serde_json::from_str(text).unwrap();
            said.packages().reference("example.com", "some", "web", "1.0.0").unwrap().to_string()
        };
        let older = r#"{ "ociRegistry": "ghcr.io", "ociNamespacePrefix": "webassembly/" }"#;
        assert_eq!(place(older), "ghcr.io/webassembly/some/web:1.0.0");
        let both = r#"{ "ociRegistry": "ghcr.io", "oci": { "registry": "quay.io/deep" } }"#;
        assert_eq!(place(both), "quay.io/deep/some/web:1.0.0");
    }

    #[test]
    fn a_registry_without_a_dot_is_not_taken_for_a_repository_of_dockers() {
        let said = Packages { registry: Some("myregistry".to_owned()), ..Packages::default() };
        for packages in [said, Packages::default()] {
            assert!(packages.reference("other", "some", "web", "1.0.0").is_err());
        }
    }

    #[test]
    fn an_address_is_told_without_what_may_be_secret() {
        let told = without_secrets("https://ada:hunter2@example.com:8443/web.wasm?token=hunter2#hunter2");
        assert_eq!(told, "https://example.com:8443/web.wasm");
        assert!(!without_secrets("hunter2").contains("hunter2"));
    }

    #[test]
    fn a_package_is_the_one_that_was_first_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("1.0.0.wasm");
        let [registry, namespace, name, version] = ["ghcr.io", "some", "web", "1.0.0"].map(str::to_owned);
        let package = Download::Package { registry, namespace, name, version };
        fs::write(&file, "hello").unwrap();
        assert!(!is_there(&package, &file).unwrap());
        let (digest, _) = hashed(&file).unwrap();
        keep_digest(&package, &digest, &file).unwrap();
        assert!(is_there(&package, &file).unwrap());
        fs::write(&file, "hullo").unwrap();
        assert!(!is_there(&package, &file).unwrap());
        let (other, _) = hashed(&file).unwrap();
        let error = keep_digest(&package, &other, &file).unwrap_err().to_string();
        assert!(error.contains("1.0.0.wasm.sha256") && error.contains(&other), "{error}");
    }
}
