//! PostgreSQL's programs on this machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    archive::{Archive, MAJOR},
    folder::StateFolder,
    install,
};
use crate::database::{DatabaseError, OLDEST_VERSION};

/// Folders in which packages put one folder per major version, and where the programs are in it.
const VERSIONED: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
    major: u32,
}

impl Programs {
    /// The programs that fit the data folder's version, or the newest if there is no data folder: those in the folder
    /// `named` if one is named, else those on this machine. Where there are none at all they are installed.
    pub(super) async fn find(named: Option<&Path>, folder: &StateFolder) -> Result<Self, DatabaseError> {
        let data_version = folder.data_version()?;
        let own = named.map_or_else(|| folder.programs(), Path::to_owned);
        let mut sets = sets_in(program_folders(&own));
        match named {
            Some(named) if sets.is_empty() && !is_free(named) => {
                return Err(DatabaseError::NotPrograms { folder: named.to_owned() });
            }
            Some(_) => {}
            None => sets.extend(installed()),
        }
        match choose(sets, data_version.as_deref(), &folder.data()) {
            Err(DatabaseError::ProgramsMissing { oldest }) => {
                // Programs that could not read the data would help nobody.
                let fits = data_version.as_deref().is_none_or(|version| version == MAJOR.to_string());
                let Some(archive) = Archive::for_this_machine().filter(|_| fits) else {
                    return Err(missing(oldest, data_version, folder));
                };
                install::install(archive, &own).await?;
                choose(sets_in(program_folders(&own)), data_version.as_deref(), &folder.data())
            }
            chosen => chosen,
        }
    }

    /// The folder they are in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a data folder.
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// The server.
    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// The major version.
    pub(super) fn major(&self) -> u32 {
        self.major
    }
}

/// Picks from what is installed.
fn choose(mut installed: Vec<Programs>, data_version: Option<&str>, data: &Path) -> Result<Programs, DatabaseError> {
    installed.retain(|programs| programs.major >= OLDEST_VERSION);
    installed.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    let found = installed.iter().map(|programs| programs.major.to_string()).collect::<Vec<_>>().join(", ");
    let fits = |programs: &Programs| data_version.is_none_or(|version| version == programs.major.to_string());
    match installed.into_iter().find(fits) {
        Some(programs) => Ok(programs),
        None if found.is_empty() => Err(DatabaseError::ProgramsMissing { oldest: OLDEST_VERSION }),
        None => Err(DatabaseError::DataFolderVersion {
            folder: data.to_owned(),
            made_by: data_version.unwrap_or("another version").to_owned(),
            installed: format!("version {found}"),
        }),
    }
}

/// None at all, or none of the version that made the data.
fn missing(oldest: u32, data_version: Option<String>, folder: &StateFolder) -> DatabaseError {
    match data_version {
        None => DatabaseError::ProgramsMissing { oldest },
        Some(made_by) => {
            DatabaseError::DataFolderVersion { folder: folder.data(), made_by, installed: "none".to_owned() }
        }
    }
}

/// Every complete set of programs on this machine.
fn installed() -> Vec<Programs> {
    sets_in(path_folders().into_iter().chain(versioned_folders()).chain(pg_config_folder()))
}

/// Those of the folders that hold a complete set of programs, each once.
fn sets_in(candidates: impl IntoIterator<Item = PathBuf>) -> Vec<Programs> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in candidates {
        if folder.join("initdb").is_file() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.into_iter().filter_map(|folder| Some(Programs { major: major_version(&folder)?, folder })).collect()
}

/// Where the programs are in a folder that holds them or an installation of PostgreSQL.
fn program_folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    [folder.join("bin"), folder.to_owned()].into_iter().filter_map(|folder| true_folder(&folder.join("postgres")))
}

/// May something be installed here?
fn is_free(folder: &Path) -> bool {
    match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    }
}

/// The true folders of the `postgres` programs in PATH. Those are often links, and only the true folder has the others beside it.
fn path_folders() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).filter_map(|folder| true_folder(&folder.join("postgres"))).collect()
}

fn versioned_folders() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (parent, child) in VERSIONED {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            found.extend(true_folder(&entry.path().join(child).join("postgres")));
        }
    }
    found
}

/// Asked only where nothing else helps would be cheaper, but it costs a millisecond.
fn pg_config_folder() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    true_folder(&Path::new(folder.trim()).join("postgres"))
}

fn true_folder(program: &Path) -> Option<PathBuf> {
    fs::canonicalize(program).ok().filter(|path| path.is_file())?.parent().map(Path::to_owned)
}

/// `postgres (PostgreSQL) 15.18 (Debian …)` → 15.
fn major_version(folder: &Path) -> Option<u32> {
    let output = Command::new(folder.join("postgres")).arg("--version").stderr(Stdio::null()).output().ok()?;
    parse_version(&String::from_utf8(output.stdout).ok()?)
}

fn parse_version(text: &str) -> Option<u32> {
    let number = text.split_once("(PostgreSQL) ")?.1;
    let end = number.find(|character: char| !character.is_ascii_digit()).unwrap_or(number.len());
    number.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(major: u32) -> Programs {
        Programs { folder: PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")), major }
    }

    #[test]
    fn the_newest_programs_serve_a_new_folder() {
        let chosen = choose(vec![set(13), set(15), set(17)], None, Path::new("/data")).unwrap();
        assert_eq!(chosen.major(), 17);
    }

    #[test]
    fn a_data_folder_gets_the_programs_that_made_it() {
        let chosen = choose(vec![set(15), set(17)], Some("15"), Path::new("/data")).unwrap();
        assert_eq!(chosen.major(), 15);
        let error = choose(vec![set(15), set(17)], Some("16"), Path::new("/data")).unwrap_err().to_string();
        assert!(error.contains("made by PostgreSQL 16, but this machine has version 17, 15"), "{error}");
    }

    #[test]
    fn a_named_folder_with_something_else_in_it_is_not_installed_into() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_free(folder.path()) && is_free(&folder.path().join("new")));
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(!is_free(folder.path()) && !is_free(&folder.path().join("file")));
    }

    #[test]
    fn missing_programs_are_told_with_two_ways_out() {
        let error = choose(vec![set(12)], None, Path::new("/data")).unwrap_err().to_string();
        assert!(error.contains("apt-get install postgresql") && error.contains("--database-url"), "{error}");
    }

    #[test]
    fn the_version_is_read_from_what_the_program_says() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18devel\n"), Some(18));
        assert_eq!(parse_version("something else"), None);
    }
}
