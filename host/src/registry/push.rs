//! A folder becomes an artifact.

use std::{collections::BTreeMap, fs, path::Path};

use oci_client::manifest::{OciDescriptor, OciImageManifest};
use serde_json::{Value, json};

use super::{
    contents::{Blob, Contents, too_much},
    credentials::Credentials,
    error::{RegistryError, failed},
    locked::{Locked, lock},
    media,
    reference::Reference,
    remote::Remote,
};
use crate::{digest::sha256, limits::REGISTRY_LOCKED_BYTES, manifest::App};

/// Where the artifact's configuration says which locked application it is for.
const LABEL: &str = "com.fermyon.spin.lockedAppDigest";

/// Names of annotations, those of the image format.
const ANNOTATIONS: [(&str, &str); 3] = [
    ("name", "org.opencontainers.image.title"),
    ("version", "org.opencontainers.image.version"),
    ("description", "org.opencontainers.image.description"),
];

/// What was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The artifact's digest.
    pub digest: String,
    /// How many layers it has.
    pub layers: usize,
    /// How many of them had to be sent; the others were there.
    pub sent: usize,
}

/// Pushes a sound application whose files are all there. `scratch` is an empty folder for what has to be written on the way.
///
/// # Errors
/// What the registry says, and files that cannot be read or are too large. The tag is set last: until then nobody sees anything of it.
pub async fn push(
    app: &App,
    document: &toml::Table,
    reference: &Reference,
    insecure: bool,
    credentials: &Credentials,
    scratch: &Path,
) -> Result<Pushed, RegistryError> {
    if reference.digest().is_some() {
        let (text, cause) = (reference.to_string(), "what is pushed gets its digest by what is in it".to_owned());
        return Err(RegistryError::Reference { text, cause });
    }
    let mut contents = Contents::new(scratch);
    let locked = lock(app, document, &mut contents)?;
    let blobs = contents.into_blobs()?;
    let text = serde_json::to_vec(&locked).map_err(|error| failed("write", scratch)(error.into()))?;
    let length = text.len() as u64;
    if length > REGISTRY_LOCKED_BYTES {
        return Err(too_much("what is said of the application".to_owned(), length, REGISTRY_LOCKED_BYTES));
    }
    let remote = Remote::of(reference, insecure, credentials.of(reference.registry()).await?)?;
    remote.knock().await?;
    let mut sent = 0;
    for blob in &blobs {
        if !remote.has(&blob.digest).await {
            let bytes = fs::read(&blob.file).map_err(failed("read", &blob.file))?;
            remote.send(&blob.digest, bytes).await?;
            sent += 1;
        }
    }
    let mut layers: Vec<OciDescriptor> = blobs.iter().map(descriptor_of).collect();
    let application = descriptor(media::APPLICATION, &text);
    let configuration = configuration(&application.digest).to_string().into_bytes();
    let config = descriptor(media::CONFIGURATION, &configuration);
    remote.send(&application.digest, text).await?;
    remote.send(&config.digest, configuration).await?;
    layers.push(application);
    let count = layers.len();
    let manifest = OciImageManifest {
        media_type: Some(media::MANIFEST.to_owned()),
        config,
        layers,
        annotations: Some(annotations(&locked)),
        ..OciImageManifest::default()
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| failed("write", scratch)(error.into()))?;
    let digest = format!("sha256:{}", sha256(&manifest));
    remote.name(manifest).await?;
    Ok(Pushed { digest, layers: count, sent })
}

fn descriptor_of(blob: &Blob) -> OciDescriptor {
    OciDescriptor {
        media_type: blob.media_type.to_owned(),
        digest: blob.digest.clone(),
        size: i64::try_from(blob.bytes).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: format!("sha256:{}", sha256(bytes)),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// The configuration that tools for images read. That it names the locked application gives every application one of its own.
fn configuration(locked: &str) -> Value {
    json!({
        "architecture": "wasm",
        "os": "Wasip1",
        "config": { "Labels": { LABEL: locked } },
        "rootfs": { "type": "layers", "diff_ids": [] },
    })
}

fn annotations(locked: &Locked) -> BTreeMap<String, String> {
    let text = |key: &str| locked.metadata.get(key).and_then(Value::as_str);
    let found = ANNOTATIONS.iter().filter_map(|(key, name)| Some(((*name).to_owned(), text(key)?.to_owned())));
    found.collect()
}
