//! An artifact becomes a folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use futures::{StreamExt, TryStreamExt, stream};
use oci_client::manifest::{OciDescriptor, OciImageManifest};

use super::{
    archive::{self, Budget},
    contents::too_much,
    credentials::Credentials,
    error::{RegistryError, failed},
    folder::lay_out,
    locked::{Locked, digest_of, manifest},
    media,
    reference::Reference,
    remote::Remote,
    store::{Store, application, remember},
};
use crate::limits::{
    REGISTRY_APPLICATION_BYTES, REGISTRY_BLOB_BYTES, REGISTRY_LAYERS, REGISTRY_LOCKED_BYTES, REGISTRY_TRANSFERS,
};

/// What was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The folder, in which a `spin.toml` is.
    pub folder: PathBuf,
    /// The artifact's digest: whoever says it in the reference gets this and nothing else.
    pub digest: String,
}

/// Pulls an application into a state folder that is there. `waits` hears of the folder into which somebody else is pulling, before that is
/// waited for. What was pulled already is there for all, whoever is pulling something else.
///
/// # Errors
/// What the registry says, what is wrong with the artifact, and what the system says. Nothing half done is left where it would be used.
pub async fn pull(
    reference: &Reference,
    insecure: bool,
    credentials: &Credentials,
    state_dir: &Path,
    waits: impl FnOnce(&Path),
) -> Result<Pulled, RegistryError> {
    let pulled = pull_once(reference, insecure, credentials, state_dir, waits).await?;
    remember(state_dir, reference, &pulled.digest)?;
    Ok(pulled)
}

async fn pull_once(
    reference: &Reference,
    insecure: bool,
    credentials: &Credentials,
    state_dir: &Path,
    waits: impl FnOnce(&Path),
) -> Result<Pulled, RegistryError> {
    if let Some(digest) = reference.digest()
        && let Some(folder) = application(state_dir, digest)?
    {
        return Ok(Pulled { folder, digest: digest.to_owned() });
    }
    let remote = Remote::of(reference, insecure, credentials.of(reference.registry()).await?)?;
    let (text, digest) = remote.manifest().await?;
    if let Some(folder) = application(state_dir, &digest)? {
        return Ok(Pulled { folder, digest });
    }
    let artifact = Artifact::read(reference, &text)?;
    let store = Store::open(state_dir, waits)?;
    // Whoever was waited for may have pulled the same.
    if let Some(folder) = application(state_dir, &digest)? {
        return Ok(Pulled { folder, digest });
    }
    let locked = artifact.locked(&remote, &store).await?.reached();
    let text = manifest(&locked).map_err(|why| RegistryError::Unservable { reference: reference.to_string(), why })?;
    artifact.fetch(&locked, &remote, &store).await?;
    let unfinished = store.unfinished("application");
    lay_out(&locked, &text, reference, &store, &unfinished)?;
    Ok(Pulled { folder: store.finish(&unfinished, &digest)?, digest })
}

/// What a manifest of the registry lists.
struct Artifact<'a> {
    reference: &'a Reference,
    configuration: Layer,
    layers: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    digest: String,
    bytes: u64,
    media_type: String,
}

impl<'a> Artifact<'a> {
    fn read(reference: &'a Reference, text: &[u8]) -> Result<Self, RegistryError> {
        let refused = |why: String| RegistryError::NoApplication { reference: reference.to_string(), why };
        let manifest: OciImageManifest = serde_json::from_slice(text).map_err(|error| {
            refused(format!("its manifest cannot be read ({error}); it may be an image for several platforms"))
        })?;
        if manifest.layers.len() > REGISTRY_LAYERS {
            let (found, most) = (format!("{} layers", manifest.layers.len()), REGISTRY_LAYERS.to_string());
            return Err(RegistryError::TooMuch { what: reference.to_string(), found, most });
        }
        let layer = |descriptor: &OciDescriptor| {
            let digest = descriptor.digest.clone();
            let sound = digest_of(&digest).zip(u64::try_from(descriptor.size).ok());
            let (_, bytes) = sound.ok_or_else(|| refused(format!("a layer has the digest {digest:?}")))?;
            if bytes > REGISTRY_BLOB_BYTES {
                return Err(too_much(format!("the layer {digest}"), bytes, REGISTRY_BLOB_BYTES));
            }
            Ok(Layer { digest, bytes, media_type: descriptor.media_type.clone() })
        };
        let layers: Vec<_> = manifest.layers.iter().map(layer).collect::<Result<_, _>>()?;
        let all = layers.iter().fold(0_u64, |all, layer| all.saturating_add(layer.bytes));
        if all > REGISTRY_APPLICATION_BYTES {
            return Err(too_much(reference.to_string(), all, REGISTRY_APPLICATION_BYTES));
        }
        Ok(Self { reference, configuration: layer(&manifest.config)?, layers })
    }

    fn refused(&self, why: impl Into<String>) -> RegistryError {
        RegistryError::NoApplication { reference: self.reference.to_string(), why: why.into() }
    }

    /// The locked application: a layer of its own, or the configuration, where older Spins had it.
    async fn locked(&self, remote: &Remote<'_>, store: &Store) -> Result<Locked, RegistryError> {
        let own = self.layers.iter().find(|layer| layer.media_type == media::APPLICATION);
        let layer = own.unwrap_or(&self.configuration);
        if layer.bytes > REGISTRY_LOCKED_BYTES {
            return Err(too_much("its locked application".to_owned(), layer.bytes, REGISTRY_LOCKED_BYTES));
        }
        let path = fetched(layer, remote, store).await?;
        let text = std::fs::read(&path).map_err(failed("read", &path))?;
        if !Locked::is_one(&text) {
            let package = self.layers.iter().any(|layer| layer.media_type == media::PACKAGE);
            return Err(self.refused(if package {
                "it is a single component; name it in a manifest, as a component's `source`"
            } else {
                "it has no locked application; push one with `plaza registry push` or `spin registry push`"
            }));
        }
        serde_json::from_slice(&text)
            .map_err(|error| self.refused(format!("its locked application is broken: {error}")))
    }

    /// Fetches everything that the locked application names.
    async fn fetch(&self, locked: &Locked, remote: &Remote<'_>, store: &Store) -> Result<(), RegistryError> {
        let named = locked.digests().map_err(|error| self.refused(error.to_string()))?;
        if named.iter().any(|digest| digest_of(digest).is_none()) {
            return Err(self.refused("its locked application has a digest that is no sha256"));
        }
        let layers: BTreeMap<&str, &Layer> = self.layers.iter().map(|layer| (layer.digest.as_str(), layer)).collect();
        let (there, packed): (BTreeSet<_>, BTreeSet<_>) =
            named.iter().partition(|digest| layers.contains_key(digest.as_str()));
        let wanted = there.iter().filter_map(|digest| layers.get(digest.as_str()).copied());
        each(wanted, remote, store).await?;
        let mut missing = BTreeSet::new();
        for digest in packed {
            if store.blob(digest)?.is_none() {
                missing.insert(digest.clone());
            }
        }
        let mut budget = Budget::default();
        for layer in self.layers.iter().filter(|layer| layer.media_type == media::ARCHIVE) {
            if missing.is_empty() {
                break;
            }
            archive::unpack(&fetched(layer, remote, store).await?, &mut missing, &mut budget, store)?;
            store.discard(&layer.digest)?;
        }
        Ok(())
    }
}

/// Fetches several at once.
async fn each(layers: impl Iterator<Item = &Layer>, remote: &Remote<'_>, store: &Store) -> Result<(), RegistryError> {
    let fetching = stream::iter(layers.map(|layer| fetched(layer, remote, store)));
    fetching.buffer_unordered(REGISTRY_TRANSFERS).try_for_each(async |_| Ok(())).await
}

/// A layer's file, fetched unless it is there.
async fn fetched(layer: &Layer, remote: &Remote<'_>, store: &Store) -> Result<PathBuf, RegistryError> {
    if let Some(path) = store.blob(&layer.digest)? {
        return Ok(path);
    }
    let unfinished = store.unfinished(digest_of(&layer.digest).unwrap_or_default());
    remote.fetch(&layer.digest, layer.bytes, &unfinished).await?;
    store.keep(&unfinished, &layer.digest)
}
