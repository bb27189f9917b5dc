use std::fs;

use super::*;

/// An archive of these files.
fn archive(folder: &Path, files: &[&str]) -> std::path::PathBuf {
    let path = folder.join("archive");
    let mut packed = tar::Builder::new(GzEncoder::new(File::create(&path).unwrap(), Compression::default()));
    for (number, text) in files.iter().enumerate() {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        packed.append_data(&mut header, format!("file-{number}"), text.as_bytes()).unwrap();
    }
    packed.into_inner().unwrap().finish().unwrap();
    path
}

fn digest(text: &str) -> String {
    format!("sha256:{}", crate::digest::sha256(text))
}

fn store(folder: &Path) -> Store {
    Store::open(folder, |_| ()).unwrap()
}

fn blobs(folder: &Path) -> usize {
    fs::read_dir(folder.join("registry/blobs")).unwrap().count()
}

#[test]
fn only_what_is_missing_is_kept_and_nothing_behind_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = archive(folder.path(), &["first", "second", "third"]);
    let mut missing = BTreeSet::from([digest("second")]);
    let mut budget = Budget { bytes: 1_000_000, files: 2 };
    unpack(&path, &mut missing, &mut budget, &store).unwrap();
    assert!(missing.is_empty() && store.blob(&digest("second")).unwrap().is_some());
    assert_eq!((blobs(folder.path()), budget.files), (1, 0));
}

#[test]
fn all_archives_of_an_artifact_have_one_budget() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let zeros = "0".repeat(100_000);
    let path = archive(folder.path(), &["first", &zeros]);
    let mut missing = BTreeSet::from([digest("first"), digest("nowhere")]);
    let mut budget = Budget { bytes: 150_000, files: 100 };
    unpack(&path, &mut missing, &mut budget, &store).unwrap();
    let error = unpack(&path, &mut missing, &mut budget, &store).unwrap_err().to_string();
    assert!(error.starts_with("what is packed has more than") && error.contains("are taken"), "{error}");
    let mut budget = Budget { bytes: 1_000_000, files: 3 };
    unpack(&path, &mut missing, &mut budget, &store).unwrap();
    let error = unpack(&path, &mut missing, &mut budget, &store).unwrap_err().to_string();
    assert!(error.starts_with("what is packed has ") && error.contains("files"), "{error}");
    assert_eq!(blobs(folder.path()), 1);
}

#[test]
fn a_name_of_any_length_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let path = folder.path().join("archive");
    let mut packed = tar::Builder::new(GzEncoder::new(File::create(&path).unwrap(), Compression::default()));
    let mut header = tar::Header::new_gnu();
    // No text at all, which a name would have to be.
    let name = vec![0xff_u8; 1 << 20];
    header.set_entry_type(tar::EntryType::XHeader);
    header.set_size(name.len() as u64);
    header.set_cksum();
    packed.append(&header, name.as_slice()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(5);
    packed.append_data(&mut header, "x".repeat(200), &b"first"[..]).unwrap();
    packed.into_inner().unwrap().finish().unwrap();
    let mut missing = BTreeSet::from([digest("first")]);
    unpack(&path, &mut missing, &mut Budget::default(), &store).unwrap();
    assert!(missing.is_empty());
}

#[test]
fn an_archive_that_is_broken_is_no_fault_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let text = crate::digest::sha256("something").repeat(1000);
    let path = archive(folder.path(), &[&text]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let mut missing = BTreeSet::from([digest(&text)]);
    let error = unpack(&path, &mut missing, &mut Budget::default(), &store).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot unpack {}", path.display())), "{error}");
}
