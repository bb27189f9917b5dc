use std::os::unix::fs::symlink;

use super::*;

fn blob(name: &str, bytes: u64) -> Blob {
    Blob { digest: name.to_owned(), bytes, media_type: media::DATA, file: name.into() }
}

#[test]
fn no_archive_becomes_larger_than_what_is_pulled() {
    let most = 64 * 1024;
    let files = ["a", "b", "c", "d", "e"].map(|name| blob(name, 20 * 1024));
    let (archives, large) = shared_out([files.to_vec(), vec![blob("large", most)]].concat(), most);
    let shared: Vec<Vec<&str>> =
        archives.iter().map(|archive| archive.iter().map(|blob| blob.digest.as_str()).collect()).collect();
    // With what each takes beside itself, a fourth would be too much.
    assert_eq!(shared, [["a", "b", "c"].as_slice(), ["d", "e"].as_slice()]);
    assert_eq!(large, [blob("large", most)]);
}

#[test]
fn what_nobody_could_pull_is_not_pushed() {
    for (blobs, part) in [
        (vec![blob("one", REGISTRY_BLOB_BYTES + 1)], "one has "),
        (vec![blob("one", REGISTRY_BLOB_BYTES); 5], "the application has "),
    ] {
        let error = pullable(&blobs).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    pullable(&vec![blob("one", REGISTRY_BLOB_BYTES); 4]).unwrap();
}

#[test]
fn a_link_to_a_folder_is_refused_and_one_to_a_file_stands_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("shown");
    fs::create_dir_all(shown.join("inner")).unwrap();
    fs::write(shown.join("inner/file"), "text").unwrap();
    symlink("inner/file", shown.join("link")).unwrap();
    let mut contents = Contents::new(&folder.path().join("scratch"));
    let found = contents.folder(&shown).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["inner/file", "link"]);
    symlink("inner", shown.join("other")).unwrap();
    let error = contents.folder(&shown).unwrap_err().to_string();
    assert!(error.contains("shown/other is a link to a folder"), "{error}");
}

#[test]
fn a_component_that_is_a_file_as_well_is_found_among_the_files() {
    for file_first in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.wasm");
        fs::write(&file, "x".repeat(1000)).unwrap();
        let mut contents = Contents::new(folder.path());
        if file_first {
            contents.folder(folder.path()).unwrap();
            contents.wasm(&file).unwrap();
        } else {
            contents.wasm(&file).unwrap();
            contents.folder(folder.path()).unwrap();
        }
        let blobs = contents.into_blobs().unwrap();
        assert_eq!(blobs.iter().map(|blob| blob.media_type).collect::<Vec<_>>(), [media::DATA]);
    }
}
