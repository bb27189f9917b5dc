//! Puts PostgreSQL's programs into a folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Instant,
};

use lzma_rust2::XzReader;

use super::archive::Archive;
use crate::database::DatabaseError;

/// What the packed programs end with inside their archive.
const PACKED: &str = ".txz";

/// The largest packed programs that are unpacked.
const PACKED_BYTES: usize = 128 * 1024 * 1024;

/// Fetches the programs and puts them into `folder`, which may be there if it is empty.
pub(super) async fn install(archive: &'static Archive, folder: &Path) -> Result<(), DatabaseError> {
    let started = Instant::now();
    let (from, into) = (archive.url(), folder.display().to_string());
    tracing::info!(from, into, "PostgreSQL is not on this machine; installing it");
    let failed = |cause| DatabaseError::Install { from: from.clone(), folder: folder.to_owned(), cause };
    let bytes = archive.download().await.map_err(failed)?;
    let place = folder.to_owned();
    let unpacking = tokio::task::spawn_blocking(move || put_in_place(&bytes, &place));
    unpacking.await.map_err(io::Error::other).flatten().map_err(failed)?;
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(into, took_ms, "PostgreSQL is installed");
    Ok(())
}

/// Unpacks beside the folder first, so that a crash leaves nothing half made where the programs are looked for.
fn put_in_place(archive: &[u8], folder: &Path) -> io::Result<()> {
    let unfinished = unfinished(folder);
    remove(&unfinished)?;
    fs::create_dir_all(&unfinished)?;
    let placed = unpack(archive, &unfinished).and_then(|()| fs::rename(&unfinished, folder));
    if placed.is_err() {
        // What is there only takes up room, perhaps the room that was lacking.
        drop(remove(&unfinished));
    }
    placed
}

fn unfinished(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    folder.with_file_name(name)
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A zip file holds an xz file, which holds a tar file, which holds the programs.
fn unpack(archive: &[u8], into: &Path) -> io::Result<()> {
    let packed = packed_programs(archive)?;
    let mut programs = tar::Archive::new(XzReader::new(packed.as_slice(), false));
    // Another account may have to run them, whatever this process's mask is.
    open_to_all(into)?;
    for entry in programs.entries()? {
        let mut entry = entry?;
        if let Some(parent) = entry.path()?.parent() {
            fs::create_dir_all(into.join(parent))?;
            parent.ancestors().try_for_each(|folder| open_to_all(&into.join(folder)))?;
        }
        entry.unpack_in(into)?;
    }
    Ok(())
}

fn open_to_all(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

fn packed_programs(archive: &[u8]) -> io::Result<Vec<u8>> {
    let zip = rawzip::ZipArchive::from_slice(archive).map_err(io::Error::other)?;
    let mut entries = zip.entries();
    while let Some(entry) = entries.next_entry().map_err(io::Error::other)? {
        if !entry.file_path().as_ref().ends_with(PACKED.as_bytes()) {
            continue;
        }
        let data = zip.get_entry(entry.wayfinder()).map_err(io::Error::other)?.data();
        return match entry.compression_method() {
            rawzip::CompressionMethod::STORE => Ok(data.to_vec()),
            rawzip::CompressionMethod::DEFLATE => {
                miniz_oxide::inflate::decompress_to_vec_with_limit(data, PACKED_BYTES)
                    .map_err(|error| io::Error::other(error.to_string()))
            }
            _ => Err(io::Error::other("the archive is compressed in a way that is not known here")),
        };
    }
    Err(io::Error::other(format!("the archive holds no {PACKED} file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_archive_leaves_nothing_behind() {
        let parent = tempfile::tempdir().unwrap();
        put_in_place(b"not a zip file", &parent.path().join("programs")).unwrap_err();
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
