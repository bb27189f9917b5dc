//! What an application is made of beside its manifest: its components, files and migrations, each by its digest.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::{
    archive,
    error::{RegistryError, failed},
    locked::Content,
    media,
};
use crate::{
    capability::files::mounts,
    limits::{REGISTRY_APPLICATION_BYTES, REGISTRY_BLOB_BYTES, REGISTRY_FILES, REGISTRY_LAYERS_PUSHED},
    manifest::app::Component,
};

/// What is no longer than this stands in the locked application itself, as with Spin: some registries take no blobs that small.
const INLINE_BYTES: u64 = 128;

/// What is to be pushed.
#[derive(Debug)]
pub struct Contents {
    blobs: BTreeMap<String, Blob>,
    files: usize,
    bytes: u64,
    scratch: PathBuf,
}

/// A file to be pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// `sha256:` and 64 digits.
    pub digest: String,
    /// How much is in it.
    pub bytes: u64,
    /// What it is.
    pub media_type: &'static str,
    /// Where it is.
    pub file: PathBuf,
}

impl Contents {
    /// Nothing yet. What has to be written before it is pushed is put into `scratch`.
    pub fn new(scratch: &Path) -> Self {
        Self { blobs: BTreeMap::new(), files: 0, bytes: 0, scratch: scratch.to_owned() }
    }

    /// Adds a component's file.
    ///
    /// # Errors
    /// When it cannot be read, or is too large.
    pub fn wasm(&mut self, file: &Path) -> Result<Content, RegistryError> {
        self.add(file, media::COMPONENT)
    }

    /// Adds the files that a component may read; returns them by their path in the guest, without `/` before it.
    ///
    /// # Errors
    /// When one cannot be read, is too large, or leads out of what the component is granted.
    pub fn mounted(&mut self, component: &Component, base: &Path) -> Result<BTreeMap<String, Content>, RegistryError> {
        let mut files = BTreeMap::new();
        for mount in mounts(component, base, &self.scratch)? {
            let place = mount.guest.trim_matches('/');
            for (path, content) in self.folder(&mount.host)? {
                let path = if place.is_empty() { path } else { format!("{place}/{path}") };
                files.insert(path, content);
            }
        }
        Ok(files)
    }

    /// Adds all files below a folder; returns them by their path in it.
    ///
    /// # Errors
    /// When one cannot be read, or is too large; and a link to a folder, which could be read here and would be missing there.
    pub fn folder(&mut self, folder: &Path) -> Result<BTreeMap<String, Content>, RegistryError> {
        let mut files = BTreeMap::new();
        let mut waiting = vec![folder.to_owned()];
        while let Some(inner) = waiting.pop() {
            for entry in fs::read_dir(&inner).map_err(failed("read", &inner))? {
                let path = entry.map_err(failed("read", &inner))?.path();
                // A link to a file stands for it; one to a folder might never end.
                if path.is_dir() {
                    if path.is_symlink() {
                        return Err(RegistryError::Link(path));
                    }
                    waiting.push(path);
                } else {
                    let relative = path.strip_prefix(folder).unwrap_or(&path);
                    let relative = relative.to_str().ok_or_else(|| RegistryError::Name(path.clone()))?.to_owned();
                    files.insert(relative, self.add(&path, media::DATA)?);
                }
            }
        }
        Ok(files)
    }

    /// All of it, the files packed where they would be too many layers.
    ///
    /// # Errors
    /// When they cannot be packed, or would be more than is pulled.
    pub fn into_blobs(self) -> Result<Vec<Blob>, RegistryError> {
        if self.blobs.len() <= REGISTRY_LAYERS_PUSHED {
            return Ok(self.blobs.into_values().collect());
        }
        let (files, mut blobs): (Vec<_>, Vec<_>) =
            self.blobs.into_values().partition(|blob| blob.media_type == media::DATA);
        let (archives, large) = shared_out(files, REGISTRY_BLOB_BYTES);
        blobs.extend(large);
        for (number, files) in archives.iter().enumerate() {
            let packed = self.scratch.join(format!("files-{number}.tar.gz"));
            archive::pack(files, &packed)?;
            let (digest, bytes) = hashed(&packed).map_err(failed("read", &packed))?;
            blobs.push(Blob { digest, bytes, media_type: media::ARCHIVE, file: packed });
        }
        pullable(&blobs)?;
        Ok(blobs)
    }

    fn add(&mut self, file: &Path, media_type: &'static str) -> Result<Content, RegistryError> {
        let length = fs::metadata(file).map_err(failed("read", file))?.len();
        if length > REGISTRY_BLOB_BYTES {
            return Err(too_much(file.display().to_string(), length, REGISTRY_BLOB_BYTES));
        }
        // Whoever pulls it may have to give each file its own room.
        self.files += 1;
        self.bytes += length;
        if self.files > REGISTRY_FILES {
            return Err(too_many("the application".to_owned(), self.files));
        }
        if self.bytes > REGISTRY_APPLICATION_BYTES {
            return Err(too_much("the application".to_owned(), self.bytes, REGISTRY_APPLICATION_BYTES));
        }
        if media_type == media::DATA && length <= INLINE_BYTES {
            let bytes = fs::read(file).map_err(failed("read", file))?;
            let digest = format!("sha256:{}", crate::digest::sha256(&bytes));
            return Ok(Content { inline: Some(bytes), digest: Some(digest) });
        }
        let (digest, bytes) = hashed(file).map_err(failed("read", file))?;
        let content = Content { inline: None, digest: Some(digest.clone()) };
        let new = || Blob { digest: digest.clone(), bytes, media_type, file: file.to_owned() };
        let blob = self.blobs.entry(digest.clone()).or_insert_with(new);
        // Spin looks for files among files alone, and for components among both.
        if media_type == media::DATA {
            blob.media_type = media::DATA;
        }
        Ok(content)
    }
}

/// Files by the archive in which they are to be, of which none becomes larger than `most`, and those that are too large for any.
fn shared_out(files: Vec<Blob>, most: u64) -> (Vec<Vec<Blob>>, Vec<Blob>) {
    // What cannot be compressed becomes a little longer.
    let most = most - most / 64;
    let (mut archives, mut large, mut bytes) = (Vec::<Vec<Blob>>::new(), Vec::new(), 0);
    for blob in files {
        let packed = blob.bytes.saturating_add(archive::OVERHEAD);
        if packed > most {
            large.push(blob);
            continue;
        }
        match archives.last_mut().filter(|_| bytes + packed <= most) {
            Some(archive) => {
                archive.push(blob);
                bytes += packed;
            }
            None => {
                archives.push(vec![blob]);
                bytes = packed;
            }
        }
    }
    (archives, large)
}

/// What is packed may have become longer than it was.
fn pullable(blobs: &[Blob]) -> Result<(), RegistryError> {
    if let Some(blob) = blobs.iter().find(|blob| blob.bytes > REGISTRY_BLOB_BYTES) {
        return Err(too_much(blob.file.display().to_string(), blob.bytes, REGISTRY_BLOB_BYTES));
    }
    match blobs.iter().map(|blob| blob.bytes).sum() {
        bytes if bytes > REGISTRY_APPLICATION_BYTES => {
            Err(too_much("the application".to_owned(), bytes, REGISTRY_APPLICATION_BYTES))
        }
        _ => Ok(()),
    }
}

/// A refusal of so many bytes.
pub(super) fn too_much(what: String, bytes: u64, most: u64) -> RegistryError {
    RegistryError::TooMuch { what, found: format!("{bytes} bytes"), most: most.to_string() }
}

/// A refusal of so many files.
pub(super) fn too_many(what: String, files: usize) -> RegistryError {
    RegistryError::TooMuch { what, found: format!("{files} files"), most: REGISTRY_FILES.to_string() }
}

/// A file's digest and its length.
pub(super) fn hashed(file: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(file)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut piece)?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else {
            return Ok((written(digest), bytes));
        };
        digest.update(read);
        bytes += count as u64;
    }
}

/// `sha256:` and the digits of what was hashed.
pub(super) fn written(digest: Sha256) -> String {
    use std::fmt::Write;
    digest.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
