//! A registry, as one artifact of it is spoken of.
//!
//! What is asked for comes by requests of our own, whose answers are bounded; what is sent goes through the client of `oci_client`, with the
//! token or the password that we have.

use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use oci_client::{
    client::{ClientConfig, ClientProtocol},
    secrets::RegistryAuth,
};
use reqwest::Url;
use rustls::RootCertStore;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt, sync::Mutex};

use super::{
    access::{Access, Door},
    contents::{too_much, written},
    credentials::Login,
    error::{RegistryError, failed},
    media,
    reference::Reference,
    refusal::{Asked, causes},
    web::{self, Insecure, beginning, body},
};
use crate::{
    limits::{
        REGISTRY_CONNECT_TIME, REGISTRY_MANIFEST_BYTES, REGISTRY_PAUSE, REGISTRY_TAGS_BYTES, REGISTRY_TAGS_PAGE,
        REGISTRY_TAGS_PAGES,
    },
    tls,
};

/// The registry of a reference.
pub struct Remote<'a> {
    client: reqwest::Client,
    insecure: Insecure,
    reference: &'a Reference,
    login: Login,
    pulls: Mutex<Option<Access>>,
    pushes: Mutex<Option<(Access, oci_client::Client)>>,
}

impl<'a> Remote<'a> {
    /// Without a word to it yet. `insecure` speaks plain HTTP with this registry; `login` is what is shown where it asks for a password.
    ///
    /// # Errors
    /// When there is no client for it.
    pub fn of(reference: &'a Reference, insecure: bool, login: Login) -> Result<Self, RegistryError> {
        tls::provide();
        let mut trusted = RootCertStore::empty();
        // The client for pushing does without a word where there are none, and fails where it is too late to say why.
        if trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs).0 == 0 {
            return Err(RegistryError::NoAuthorities);
        }
        let insecure = Insecure::of(insecure, Some(reference));
        let client = web::client(trusted, insecure.clone(), reference.registry())?;
        Ok(Self { client, insecure, reference, login, pulls: Mutex::default(), pushes: Mutex::default() })
    }

    /// The artifact's manifest and its SHA-256, which is what the reference says where it says one. Registries may name it by another
    /// digest in their answer.
    ///
    /// # Errors
    /// What the registry says, a manifest that is too long, and another than is asked for.
    pub async fn manifest(&self) -> Result<(Bytes, String), RegistryError> {
        let reference = self.reference.inner();
        let name = reference.digest().or(reference.tag()).unwrap_or("latest");
        let what = self.reference.to_string();
        let kinds = [media::MANIFEST, media::DOCKER_MANIFEST].join(", ");
        let answer = self.get(&format!("manifests/{name}"), &what, &kinds).await?;
        let said = answer.headers().get("docker-content-digest").and_then(|said| said.to_str().ok());
        let said = said.filter(|said| said.starts_with("sha256:")).map(str::to_owned);
        let what = format!("the manifest of {what}");
        let text = body(answer, self.reference.registry(), &what, REGISTRY_MANIFEST_BYTES).await?;
        let found = written(Sha256::new_with_prefix(&text));
        match [reference.digest().map(str::to_owned), said].into_iter().flatten().find(|expected| *expected != found) {
            Some(expected) => Err(RegistryError::Changed { expected, found }),
            None => Ok((text.into(), found)),
        }
    }

    /// All tags of the repository.
    ///
    /// # Errors
    /// What the registry says, and more tags than are read.
    pub async fn tags(&self) -> Result<Vec<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let what = format!("list of the tags of {}", self.reference.repository());
        let mut url = self.url(&format!("tags/list?n={REGISTRY_TAGS_PAGE}"));
        let mut tags = Vec::new();
        for _ in 0..REGISTRY_TAGS_PAGES {
            let answer = self.ask(&url, &what, "application/json").await?;
            let next = next_page(answer.headers(), &url);
            let text = body(answer, self.reference.registry(), &what, REGISTRY_TAGS_BYTES).await?;
            let page: Page = serde_json::from_slice(&text)
                .map_err(|error| self.asked().refused(format!("its {what} cannot be read: {error}")))?;
            tags.extend(page.tags.unwrap_or_default());
            match next {
                Some(next) => url = next,
                None => return Ok(tags),
            }
        }
        let (found, most) = (format!("more than {REGISTRY_TAGS_PAGES} pages"), REGISTRY_TAGS_PAGES.to_string());
        Err(RegistryError::TooMuch { what, found, most })
    }

    /// Writes a blob of so many bytes into a file. It has its digest, or this fails.
    ///
    /// # Errors
    /// What the registry says, and bytes that are others, or more, than there should be.
    pub async fn fetch(&self, digest: &str, bytes: u64, into: &Path) -> Result<(), RegistryError> {
        let what = format!("the layer {digest} of {}", self.reference);
        let mut answer = self.get(&format!("blobs/{digest}"), &what, "*/*").await?;
        let mut file = File::create(into).await.map_err(failed("write", into))?;
        let (mut found, mut hash) = (0, Sha256::new());
        while let Some(piece) = answer.chunk().await.map_err(|error| self.broken_off(error))? {
            found += piece.len() as u64;
            if found > bytes {
                return Err(too_much(what, found, bytes));
            }
            hash.update(&piece);
            file.write_all(&piece).await.map_err(failed("write", into))?;
        }
        file.flush().await.map_err(failed("write", into))?;
        match written(hash) {
            found if found == digest => Ok(()),
            found => Err(RegistryError::Changed { expected: digest.to_owned(), found }),
        }
    }

    /// Makes sure that one may push here, before anything is sent.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn knock(&self) -> Result<(), RegistryError> {
        self.pushing().await.map(drop)
    }

    /// Whether a blob is there already.
    pub async fn has(&self, digest: &str) -> bool {
        // What cannot be asked is sent.
        let Ok(client) = self.pushing().await else { return false };
        client.blob_exists(self.reference.inner(), digest).await.unwrap_or_default()
    }

    /// Sends a blob.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn send(&self, digest: &str, bytes: impl Into<Bytes>) -> Result<(), RegistryError> {
        let sent = self.pushing().await?.push_blob(self.reference.inner(), bytes, digest).await;
        sent.map(drop).map_err(|error| self.asked().failed(&format!("place for {}", self.reference), error))
    }

    /// Sends the manifest, when everything in it is there.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn name(&self, manifest: Vec<u8>) -> Result<(), RegistryError> {
        let kind = HeaderValue::from_static(media::MANIFEST);
        let named = self.pushing().await?.push_manifest_raw(self.reference.inner(), manifest, kind).await;
        named.map(drop).map_err(|error| self.asked().failed(&format!("place for {}", self.reference), error))
    }

    /// Makes sure that the registry lets a name and a password in.
    ///
    /// # Errors
    /// What the registry says to them.
    pub async fn try_password(&self, name: &str, password: &str) -> Result<(), RegistryError> {
        self.door().try_password(name, password).await
    }

    fn asked(&self) -> Asked<'_> {
        Asked { registry: self.reference.registry(), helper: self.login.helper() }
    }

    fn door(&self) -> Door<'_> {
        let (client, insecure, registry) = (&self.client, &self.insecure, self.reference.registry());
        Door { client, insecure, registry, login: &self.login }
    }

    fn broken_off(&self, error: reqwest::Error) -> RegistryError {
        let cause = causes(&error.without_url());
        RegistryError::BrokenOff { registry: self.reference.registry().to_owned(), cause }
    }

    fn url(&self, path: &str) -> String {
        let (registry, repository) = (self.reference.registry(), self.reference.inner().repository());
        format!("{}://{registry}/v2/{repository}/{path}", self.insecure.scheme(registry))
    }

    async fn get(&self, path: &str, what: &str, kinds: &str) -> Result<reqwest::Response, RegistryError> {
        self.ask(&self.url(path), what, kinds).await
    }

    /// Asks the registry for an address of its own.
    async fn ask(&self, url: &str, what: &str, kinds: &str) -> Result<reqwest::Response, RegistryError> {
        let registry = self.reference.registry();
        let mut again = true;
        loop {
            let access = self.pulling().await?;
            let request = access.show(self.client.get(url).header(header::ACCEPT, kinds));
            let answer = request.send().await;
            let answer = answer.map_err(|error| super::refusal::unanswered(registry.to_owned(), error))?;
            match (answer.status(), access) {
                (StatusCode::OK, _) => return Ok(answer),
                // The token is over sooner than it said.
                (StatusCode::UNAUTHORIZED, Access::Bearer { .. }) if again => *self.pulls.lock().await = None,
                // The password is no longer right, and perhaps none is needed.
                (StatusCode::UNAUTHORIZED, Access::Basic(..)) if again => {
                    *self.pulls.lock().await = Some(Access::Open);
                }
                (status, _) => return Err(self.asked().answered(what, status, &beginning(answer).await)),
            }
            again = false;
        }
    }

    async fn pulling(&self) -> Result<Access, RegistryError> {
        let mut held = self.pulls.lock().await;
        if let Some(access) = held.as_ref().filter(|access| !access.is_over()) {
            return Ok(access.clone());
        }
        let scope = format!("repository:{}:pull", self.reference.inner().repository());
        let access = self.door().open(&scope, true).await?;
        *held = Some(access.clone());
        Ok(access)
    }

    /// A client that shows what lets one push.
    async fn pushing(&self) -> Result<oci_client::Client, RegistryError> {
        let mut held = self.pushes.lock().await;
        if let Some((_, client)) = held.as_ref().filter(|(access, _)| !access.is_over()) {
            return Ok(client.clone());
        }
        let scope = format!("repository:{}:pull,push", self.reference.inner().repository());
        let access = self.door().open(&scope, false).await?;
        let registry = self.reference.registry();
        let plain = self.insecure.allows(registry).then(|| registry.to_owned());
        let config = ClientConfig {
            protocol: ClientProtocol::HttpsExcept(plain.into_iter().collect()),
            connect_timeout: Some(REGISTRY_CONNECT_TIME),
            read_timeout: Some(REGISTRY_PAUSE),
            user_agent: concat!("plaza/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        };
        let client = oci_client::Client::try_from(config);
        let client = client.map_err(|error| self.asked().refused(error.to_string()))?;
        let auth = match access.clone() {
            Access::Open => RegistryAuth::Anonymous,
            Access::Basic(name, password) => RegistryAuth::Basic(name, password),
            Access::Bearer { token, .. } => RegistryAuth::Bearer(token),
        };
        client.store_auth_if_needed(registry, &auth).await;
        *held = Some((access, client.clone()));
        Ok(client)
    }
}

/// Where a list goes on, if it does: an address of the same server, as what lets one in there is shown to nobody else.
fn next_page(headers: &HeaderMap, url: &str) -> Option<String> {
    let here = Url::parse(url).ok()?;
    let links = headers.get_all(header::LINK).iter().filter_map(|header| header.to_str().ok());
    let next = links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| parameter.trim().eq_ignore_ascii_case("rel=next");
        parameters.replace('"', "").split(';').any(is_next).then_some(target)
    })?;
    let next = here.join(next).ok()?;
    (next.origin() == here.origin()).then(|| next.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_its_registry_says_and_at_no_other_server() {
        let url = "https://ghcr.io/v2/some/web/tags/list?n=2";
        let next = |link: &str| {
            let headers = HeaderMap::from_iter([(header::LINK, link.parse().unwrap())]);
            next_page(&headers, url)
        };
        for link in [
            r#"</v2/some/web/tags/list?page=x%3D>; rel="next""#,
            "<https://ghcr.io/v2/some/web/tags/list?page=x%3D>; title=a; REL=next",
        ] {
            assert_eq!(next(link).as_deref(), Some("https://ghcr.io/v2/some/web/tags/list?page=x%3D"), "{link}");
        }
        for link in
            ["<https://else.example/v2/>; rel=next", "<http://ghcr.io/v2/>; rel=next", "</v2/>; rel=prev", "next", ""]
        {
            assert_eq!(next(link), None, "{link}");
        }
        assert_eq!(next_page(&HeaderMap::new(), url), None);
    }
}
