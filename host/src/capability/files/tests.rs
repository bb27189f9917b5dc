use std::collections::BTreeMap;

use tempfile::TempDir;

use super::*;
use crate::manifest::app::PlazaSettings;

/// An application's folder with some files, and a scratch folder beside it.
struct Folder {
    root: TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { root: TempDir::new().unwrap() };
        for path in ["assets/a.txt", "assets/deep/b.txt", "assets/secret.key", "other/c.txt"] {
            let path = folder.base().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "text").unwrap();
        }
        fs::write(folder.root.path().join("outside.txt"), "outside").unwrap();
        folder
    }

    fn base(&self) -> PathBuf {
        self.root.path().join("app")
    }

    fn placed(&self) -> FileMount {
        FileMount::Placement { source: self.base().join("assets"), destination: "/static".into() }
    }

    fn mounts(&self, files: Vec<FileMount>, exclude: &[&str]) -> Result<Vec<Mount>, FilesError> {
        let component = Component {
            id: "reader".into(),
            description: None,
            source: "reader.wasm".into(),
            download: None,
            build: None,
            environment: BTreeMap::new(),
            variables: BTreeMap::new(),
            files,
            exclude_files: exclude.iter().map(|pattern| (*pattern).to_owned()).collect(),
            allowed_outbound_hosts: Vec::new(),
            key_value_stores: Vec::new(),
            sqlite_databases: Vec::new(),
            links: BTreeMap::new(),
            composed: BTreeMap::new(),
            under_spin: BTreeMap::new(),
            plaza: PlazaSettings::default(),
        };
        mounts(&component, &self.base(), &self.root.path().join("scratch"))
    }
}

fn pattern(pattern: &str) -> FileMount {
    FileMount::Pattern(pattern.to_owned())
}

#[test]
fn a_pattern_shows_the_files_it_selects_and_nothing_beside_them() {
    let folder = Folder::new();
    let mounts = folder.mounts(vec![pattern("assets/**/*.txt")], &[]).unwrap();
    let [mount] = mounts.as_slice() else { panic!("{mounts:?}") };
    assert_eq!(mount.guest, "/");
    assert!(mount.host.join("assets/a.txt").is_file());
    assert!(mount.host.join("assets/deep/b.txt").is_file());
    assert!(!mount.host.join("assets/secret.key").exists());
    assert!(!mount.host.join("other").exists());
}

#[test]
fn a_pattern_that_names_a_folder_shows_all_of_it() {
    let folder = Folder::new();
    let mounts = folder.mounts(vec![pattern("assets")], &["assets/*.key"]).unwrap();
    let host = &mounts[0].host;
    assert!(host.join("assets/deep/b.txt").is_file());
    assert!(!host.join("assets/secret.key").exists());
}

#[test]
fn preparing_again_forgets_what_is_no_longer_selected() {
    let folder = Folder::new();
    folder.mounts(vec![pattern("assets/**/*")], &[]).unwrap();
    let mounts = folder.mounts(vec![pattern("other/*")], &[]).unwrap();
    assert!(!mounts[0].host.join("assets").exists());
}

#[test]
fn a_placed_folder_is_shown_as_it_is() {
    let folder = Folder::new();
    let mounts = folder.mounts(vec![folder.placed()], &[]).unwrap();
    assert_eq!(mounts, [Mount { host: folder.base().join("assets").canonicalize().unwrap(), guest: "/static".into() }]);
}

#[test]
fn excluded_files_are_missing_from_a_placed_folder_too() {
    let folder = Folder::new();
    let mounts = folder.mounts(vec![folder.placed()], &["**/*.key"]).unwrap();
    assert!(mounts[0].host.join("a.txt").is_file());
    assert!(!mounts[0].host.join("secret.key").exists());
}

#[test]
fn a_placed_folder_that_is_missing_is_refused() {
    let folder = Folder::new();
    let missing = FileMount::Placement { source: "nowhere".into(), destination: "/".into() };
    assert!(matches!(folder.mounts(vec![missing], &[]), Err(FilesError::NoFolder(_))));
}

#[test]
fn a_pattern_may_not_lead_out_of_the_folder() {
    let folder = Folder::new();
    for path in ["../outside.txt", "/etc/*", "assets/../../outside.txt"] {
        assert!(matches!(folder.mounts(vec![pattern(path)], &[]), Err(FilesError::Outside(_))), "{path}");
    }
}

#[test]
fn a_pattern_that_is_none_is_refused() {
    let folder = Folder::new();
    assert!(matches!(folder.mounts(vec![pattern("assets/[")], &[]), Err(FilesError::Pattern { .. })));
}

#[test]
fn a_symbolic_link_that_leads_out_is_refused() {
    let folder = Folder::new();
    let link = folder.base().join("assets/link");
    std::os::unix::fs::symlink(folder.root.path().join("outside.txt"), link).unwrap();
    for files in [pattern("assets/*"), folder.placed()] {
        assert!(matches!(folder.mounts(vec![files], &[]), Err(FilesError::Escape { .. })));
    }
    assert!(folder.mounts(vec![folder.placed()], &["assets/link"]).is_ok());
}

#[test]
fn a_symbolic_link_that_stays_inside_is_followed() {
    let folder = Folder::new();
    std::os::unix::fs::symlink("a.txt", folder.base().join("assets/link")).unwrap();
    let mounts = folder.mounts(vec![pattern("assets/*")], &[]).unwrap();
    assert_eq!(fs::read_to_string(mounts[0].host.join("assets/link")).unwrap(), "text");
}
