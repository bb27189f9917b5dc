//! Files packed into one layer: a tar file, compressed with gzip. What each of them is, the locked application says by its digest.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use sha2::{Digest, Sha256};

use super::{
    contents::{Blob, too_many, too_much, written},
    error::{RegistryError, failed},
    locked::digest_of,
    store::Store,
};
use crate::limits::{REGISTRY_BLOB_BYTES, REGISTRY_FILES, REGISTRY_UNPACKED_BYTES};

/// What a file takes in an archive beside what is in it: its head, and what fills its last block.
pub const OVERHEAD: u64 = 1024;

/// Packs files, each under the digits of its digest.
///
/// # Errors
/// When one cannot be read, or the archive cannot be written.
pub fn pack(files: &[Blob], into: &Path) -> Result<(), RegistryError> {
    let packed = || -> io::Result<()> {
        let file = BufWriter::new(File::create(into)?);
        let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
        // The same files are the same archive, whenever and by whomever they are packed.
        archive.mode(tar::HeaderMode::Deterministic);
        for blob in files {
            let name = digest_of(&blob.digest).unwrap_or(&blob.digest);
            archive.append_path_with_name(&blob.file, name)?;
        }
        archive.into_inner()?.finish()?.flush()
    };
    packed().map_err(failed("pack files into", into))
}

/// What may still be read out of the archives of one artifact.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
    files: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: REGISTRY_UNPACKED_BYTES, files: REGISTRY_FILES }
    }
}

/// Puts those files of an archive among the blobs that are `missing`, and takes them out of there. What nobody has asked for is not kept,
/// and nothing is read that comes behind the last that was.
///
/// # Errors
/// When it is no such archive, there is more in it than the budget has left, or something cannot be written.
pub fn unpack(
    archive: &Path,
    missing: &mut BTreeSet<String>,
    budget: &mut Budget,
    store: &Store,
) -> Result<(), RegistryError> {
    let broken = |source| RegistryError::File { doing: "unpack", path: archive.to_owned(), source };
    let file = BufReader::new(File::open(archive).map_err(broken)?);
    let mut bounded = GzDecoder::new(file).take(budget.bytes);
    let unpacked = unpack_all(&mut bounded, archive, missing, &mut budget.files, store);
    budget.bytes = bounded.limit();
    match unpacked {
        // It breaks off where the budget does.
        Err(_) if budget.bytes == 0 => {
            let found = format!("more than {REGISTRY_UNPACKED_BYTES} bytes");
            let most = REGISTRY_UNPACKED_BYTES.to_string();
            Err(RegistryError::TooMuch { what: "what is packed".to_owned(), found, most })
        }
        unpacked => unpacked,
    }
}

fn unpack_all(
    packed: &mut impl Read,
    archive: &Path,
    missing: &mut BTreeSet<String>,
    files: &mut usize,
    store: &Store,
) -> Result<(), RegistryError> {
    let broken = |source| RegistryError::File { doing: "unpack", path: archive.to_owned(), source };
    let mut entries = tar::Archive::new(packed);
    // Names are nothing to go by, so the entries that only hold long ones are passed over, however long.
    let mut entries = entries.entries().map_err(broken)?.raw(true);
    while !missing.is_empty() {
        let Some(entry) = entries.next() else { break };
        let mut entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        *files = files.checked_sub(1).ok_or_else(|| too_many("what is packed".to_owned(), REGISTRY_FILES + 1))?;
        if entry.size() > REGISTRY_BLOB_BYTES {
            return Err(too_much("a file of an archive".to_owned(), entry.size(), REGISTRY_BLOB_BYTES));
        }
        let unfinished = store.unfinished("unpacked");
        let digest = copied(&mut entry, &unfinished, broken)?;
        if missing.remove(&digest) {
            store.keep(&unfinished, &digest)?;
        }
    }
    Ok(())
}

/// Writes what is read into a file; returns its digest. `broken` says what it is that cannot be read.
fn copied(
    from: &mut impl Read,
    into: &Path,
    broken: impl Fn(io::Error) -> RegistryError,
) -> Result<String, RegistryError> {
    let mut file = File::create(into).map_err(failed("write", into))?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut piece).map_err(&broken)?;
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(written(digest));
        };
        digest.update(read);
        file.write_all(read).map_err(failed("write", into))?;
    }
}

#[cfg(test)]
mod tests;
