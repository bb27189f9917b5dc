//! Components and dependencies that a manifest takes from elsewhere: by a URL and a digest, or by the name of a package.

use std::{
    fs,
    path::{Path, PathBuf},
};

use http::StatusCode;
use reqwest::Url;
use semver::Version;

use super::{
    contents::{hashed, too_much},
    error::{RegistryError, failed},
    locked::digest_of,
    packages::{Asker, Found, Package},
    refusal::unanswered,
    web::{self, Insecure},
};
use crate::{
    limits::REGISTRY_BLOB_BYTES,
    manifest::{
        App,
        app::{Download, Versions},
    },
};

/// What could not be fetched, and why.
pub type Failure<'a> = (&'a Download, RegistryError);

/// Fetches what is not there; `tell` hears of each before it is fetched, and which version and digest a package has.
///
/// # Errors
/// The first that cannot be had, or is not what it must be. Nothing half done is left where it would be used.
pub async fn fetch(app: &App, asker: &Asker, tell: impl Fn(&str)) -> Result<(), RegistryError> {
    for download in app.downloads() {
        one(app.base(), download, asker, &tell).await?;
    }
    Ok(())
}

/// The same, of all that there is, whatever becomes of the others.
pub async fn fetch_each<'a>(app: &'a App, asker: &Asker, tell: impl Fn(&str)) -> Vec<Failure<'a>> {
    let mut failures = Vec::new();
    for download in app.downloads() {
        let fetched = one(app.base(), download, asker, &tell).await;
        failures.extend(fetched.err().map(|error| (download, error)));
    }
    failures
}

async fn one(base: &Path, download: &Download, asker: &Asker, tell: &impl Fn(&str)) -> Result<(), RegistryError> {
    let file = base.join(download.file());
    if is_there(download, &file)? {
        return Ok(());
    }
    tell(&format!("fetching {}", shown(download)));
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed("make", folder))?;
    let unfinished = tempfile::Builder::new().prefix(".unfinished").tempfile_in(folder);
    let unfinished = unfinished.map_err(failed("write", folder))?;
    let mut found = None;
    match download {
        Download::Url { url, sha256 } => by_url(url, sha256, &asker.insecure, unfinished.path()).await?,
        Download::Package { registry, namespace, name, versions } => {
            let package = Package { registry: registry.as_deref(), namespace, name, versions };
            let before = kept(&file).and_then(|kept| kept.version);
            let came = asker.fetch(package, before, unfinished.path()).await?;
            let Found { version, digest } = &came;
            tell(&format!("fetched {}: {version}, {digest}", shown(download)));
            found = Some(came);
        }
    }
    unfinished.as_file().sync_all().map_err(failed("write", &file))?;
    if let Some(found) = &found {
        keep(download, found, &file)?;
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
        Download::Package { .. } => kept(file).map(|kept| kept.digest),
    };
    let (found, _) = hashed(file).map_err(failed("read", file))?;
    Ok(expected.is_some_and(|expected| expected == found))
}

/// What a package was when it was first fetched.
struct Kept {
    /// Where the manifest leaves it open.
    version: Option<Version>,
    digest: String,
}

/// Where that is kept.
fn beside(file: &Path) -> PathBuf {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".sha256");
    beside.into()
}

/// What is kept there, in the form of `sha256sum`, with the version in a comment before it.
fn kept(file: &Path) -> Option<Kept> {
    let text = fs::read_to_string(beside(file)).ok()?;
    let (comments, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('#'));
    let version = comments.iter().find_map(|comment| comment.trim_start_matches('#').trim().parse().ok());
    let digest = format!("sha256:{}", lines.first()?.split_whitespace().next()?);
    digest_of(&digest).is_some().then_some(Kept { version, digest })
}

/// Keeps beside its file what a package is, or holds it against what is kept there.
fn keep(download: &Download, found: &Found, file: &Path) -> Result<(), RegistryError> {
    let beside = beside(file);
    match kept(file) {
        Some(kept) if kept.digest == found.digest => Ok(()),
        Some(Kept { digest: expected, .. }) => {
            let (package, found) = (shown(download), found.digest.clone());
            Err(RegistryError::OtherPackage { package, expected, found, file: beside })
        }
        None => {
            let (digits, name) = (found.digest.trim_start_matches("sha256:"), file.file_name().unwrap_or_default());
            let is_open = matches!(download, Download::Package { versions: Versions::Newest(_), .. });
            let version = if is_open { format!("# {}\n", found.version) } else { String::new() };
            let text = format!("{version}{digits}  {}\n", name.display());
            fs::write(&beside, text).map_err(failed("write", &beside))
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
    let mut answer = web::get(url, &host, insecure).await?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_without_what_may_be_secret() {
        let told = without_secrets("https://ada:hunter2@example.com:8443/web.wasm?token=hunter2#hunter2");
        assert_eq!(told, "https://example.com:8443/web.wasm");
        assert!(!without_secrets("hunter2").contains("hunter2"));
    }

    fn package(versions: Versions) -> Download {
        let [namespace, name] = ["some", "web"].map(str::to_owned);
        Download::Package { registry: Some("ghcr.io".to_owned()), namespace, name, versions }
    }

    fn found(version: &str, file: &Path) -> Found {
        Found { version: version.parse().unwrap(), digest: hashed(file).unwrap().0 }
    }

    #[test]
    fn a_package_is_the_one_that_was_first_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("1.0.0.wasm");
        let package = package(Versions::Exactly("1.0.0".parse().unwrap()));
        fs::write(&file, "hello").unwrap();
        assert!(!is_there(&package, &file).unwrap());
        keep(&package, &found("1.0.0", &file), &file).unwrap();
        assert!(is_there(&package, &file).unwrap());
        fs::write(&file, "hullo").unwrap();
        assert!(!is_there(&package, &file).unwrap());
        let other = found("1.0.0", &file);
        let error = keep(&package, &other, &file).unwrap_err().to_string();
        assert!(error.contains("1.0.0.wasm.sha256") && error.contains(&other.digest), "{error}");
    }

    #[test]
    fn the_version_that_was_taken_is_kept_where_the_manifest_leaves_it_open() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("^1.0.wasm");
        fs::write(&file, "hello").unwrap();
        let package = package(Versions::Newest("^1.0".parse().unwrap()));
        assert!(kept(&file).is_none());
        keep(&package, &found("1.2.0-rc.1+x", &file), &file).unwrap();
        assert_eq!(kept(&file).unwrap().version, Some("1.2.0-rc.1+x".parse().unwrap()));
        assert!(is_there(&package, &file).unwrap());
    }
}
