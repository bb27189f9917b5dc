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
            middleware: Vec::new(),
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
fn a_placed_folder_or_file_that_is_missing_is_refused() {
    let folder = Folder::new();
    let missing = FileMount::Placement { source: "nowhere".into(), destination: "/".into() };
    assert!(matches!(folder.mounts(vec![missing], &[]), Err(FilesError::Missing(_))));
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

impl Folder {
    fn at(&self, source: &str, destination: &str) -> FileMount {
        FileMount::Placement { source: self.base().join(source), destination: destination.to_owned() }
    }

    /// All files below the one folder that is the guest's root, each with what is in it.
    fn root_of(&self, files: Vec<FileMount>, exclude: &[&str]) -> BTreeMap<String, String> {
        let mounts = self.mounts(files, exclude).unwrap();
        let [Mount { host, guest }] = mounts.as_slice() else { panic!("{mounts:?}") };
        assert_eq!(guest, "/");
        let all = glob::glob(&format!("{}/**/*", host.display())).unwrap().map(Result::unwrap);
        let files = all.filter(|path| path.is_file());
        let named = |path: PathBuf| path.strip_prefix(host).unwrap().display().to_string();
        files.map(|path| (named(path.clone()), fs::read_to_string(&path).unwrap())).collect()
    }
}

fn names(files: &BTreeMap<String, String>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

#[test]
fn a_pattern_and_placed_folders_become_one_tree() {
    let folder = Folder::new();
    let files = vec![pattern("assets/*.txt"), folder.at("other", "/"), folder.at("assets/deep", "/assets/within")];
    assert_eq!(names(&folder.root_of(files, &[])), ["assets/a.txt", "assets/within/b.txt", "c.txt"]);
    let files = vec![folder.at("assets", "/"), folder.at("other", "/deep/")];
    let found = folder.root_of(files, &["*.key"]);
    assert_eq!(names(&found), ["a.txt", "deep/b.txt", "deep/c.txt"]);
}

#[test]
fn folders_that_are_placed_side_by_side_are_shown_as_they_are() {
    let folder = Folder::new();
    let mounts = folder.mounts(vec![folder.at("assets", "/one"), folder.at("other", "/one-more")], &[]).unwrap();
    let seen: Vec<_> = mounts.iter().map(|mount| (mount.host.file_name().unwrap(), mount.guest.as_str())).collect();
    assert_eq!(seen, [("assets".as_ref(), "/one"), ("other".as_ref(), "/one-more")]);
}

#[test]
fn a_folder_in_which_files_are_put_together_is_placed_without_those() {
    let folder = Folder::new();
    let around = folder.base().parent().unwrap().to_owned();
    let all = FileMount::Placement { source: around, destination: "/all".to_owned() };
    let found = folder.root_of(vec![pattern("other/*"), all], &[]);
    assert!(found.keys().any(|name| name.starts_with("all/")), "{found:?}");
    assert!(!found.keys().any(|name| name.contains("all/all") || name.contains("/files/all")), "{found:?}");
}

#[test]
fn a_single_file_is_placed_under_the_name_it_is_given() {
    let folder = Folder::new();
    let files = vec![folder.at("assets/a.txt", "/b.txt"), folder.at("other/c.txt", "/deep/c.txt")];
    assert_eq!(names(&folder.root_of(files, &[])), ["b.txt", "deep/c.txt"]);
    let nameless = folder.mounts(vec![folder.at("assets/a.txt", "/")], &[]);
    assert!(matches!(nameless, Err(FilesError::Nameless(_))));
}

#[test]
fn what_comes_later_lies_over_what_came_before_it_and_changes_no_file_of_the_application() {
    let folder = Folder::new();
    fs::write(folder.base().join("other/c.txt"), "later").unwrap();
    let (first, second) = (folder.at("assets/a.txt", "/x.txt"), folder.at("other/c.txt", "/x.txt"));
    assert_eq!(folder.root_of(vec![first.clone(), second.clone()], &[])["x.txt"], "later");
    assert_eq!(folder.root_of(vec![second, first], &[])["x.txt"], "text");
    assert_eq!(fs::read_to_string(folder.base().join("assets/a.txt")).unwrap(), "text");
    assert_eq!(fs::read_to_string(folder.base().join("other/c.txt")).unwrap(), "later");
}

#[test]
fn a_star_that_selects_stays_in_its_folder_and_one_that_excludes_does_not() {
    let folder = Folder::new();
    assert_eq!(names(&folder.root_of(vec![pattern("assets/*.txt")], &[])), ["assets/a.txt"]);
    let found = folder.root_of(vec![pattern("assets/**/*")], &["assets/*.txt"]);
    assert_eq!(names(&found), ["assets/secret.key"]);
}
