//! One file of a migrations folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::MigrationError;
use crate::digest::sha256;

/// A numbered SQL file.
pub(in crate::database) struct Script {
    pub(super) number: u32,
    /// The file's name.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) sql: String,
    /// SHA-256 of the text in hexadecimal. Line ends do not count, so that a checkout on another system changes nothing.
    pub(super) checksum: String,
}

impl Script {
    /// One that is part of the host.
    pub(in crate::database) fn embedded(file: &str, sql: &str) -> Self {
        let number = number_of(file).unwrap_or_default();
        Self::new(number, PathBuf::from(file), sql.to_owned())
    }

    fn new(number: u32, path: PathBuf, text: String) -> Self {
        let sql = text.replace("\r\n", "\n");
        let checksum = sha256(&sql);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self { number, name, path, sql, checksum }
    }

    /// The line of a character; both are counted from 1.
    pub(super) fn line_of(&self, character: usize) -> usize {
        1 + self.sql.chars().take(character.saturating_sub(1)).filter(|&character| character == '\n').count()
    }
}

/// The scripts of a folder in order. Files that do not end in `.sql` are left alone.
pub(super) fn read_folder(folder: &Path) -> Result<Vec<Script>, MigrationError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |cause| MigrationError::Read { path, cause }
    };
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let path = entry.map_err(unreadable(folder))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || !name.ends_with(".sql") {
            continue;
        }
        texts.push((fs::read_to_string(&path).map_err(unreadable(&path))?, path));
    }
    of_texts(folder, texts)
}

/// Scripts in order, out of texts with the paths they are known by.
pub(super) fn of_texts(folder: &Path, texts: Vec<(String, PathBuf)>) -> Result<Vec<Script>, MigrationError> {
    let mut scripts = Vec::new();
    for (text, path) in texts {
        let number = path.file_name().and_then(|name| number_of(&name.to_string_lossy()));
        let Some(number) = number else {
            return Err(MigrationError::FileName { path });
        };
        scripts.push(Script::new(number, path, text));
    }
    scripts.sort_by(|one, other| (one.number, &one.name).cmp(&(other.number, &other.name)));
    check_numbers(folder, &scripts)?;
    Ok(scripts)
}

/// Numbers go up from 1, each once.
fn check_numbers(folder: &Path, scripts: &[Script]) -> Result<(), MigrationError> {
    let mut before: Option<&Script> = None;
    for script in scripts {
        let number_before = before.map_or(0, |before| before.number);
        match before {
            Some(before) if before.number == script.number => {
                return Err(MigrationError::Duplicate {
                    number: script.number,
                    first: before.path.clone(),
                    second: script.path.clone(),
                });
            }
            _ if script.number != number_before + 1 => {
                return Err(MigrationError::Gap {
                    folder: folder.to_owned(),
                    missing: number_before + 1,
                    next: script.name.clone(),
                });
            }
            _ => before = Some(script),
        }
    }
    Ok(())
}

/// The number of `NNNN_name.sql`.
fn number_of(name: &str) -> Option<u32> {
    let (digits, rest) = name.strip_suffix(".sql")?.split_once('_')?;
    let well_made = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()) && !rest.is_empty();
    digits.parse().ok().filter(|&number| well_made && number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    fn fault(files: &[&str]) -> String {
        let files: Vec<_> = files.iter().map(|name| (*name, "SELECT 1")).collect();
        let folder = folder(&files);
        let error = read_folder(folder.path()).err().unwrap();
        error.to_string().replace(&folder.path().display().to_string(), "migrations")
    }

    #[test]
    fn scripts_come_in_the_order_of_their_numbers() {
        let folder = folder(&[("0002_b.sql", "b"), ("0001_a.sql", "a"), ("README.md", ""), (".0003_x.sql.swp", "")]);
        let names: Vec<String> = read_folder(folder.path()).unwrap().into_iter().map(|script| script.name).collect();
        assert_eq!(names, ["0001_a.sql", "0002_b.sql"]);
    }

    #[test]
    fn a_faulty_folder_is_refused_with_the_file_and_what_to_do() {
        assert_eq!(
            fault(&["1_a.sql"]),
            "migrations/1_a.sql: name it NNNN_what_it_does.sql, with a number of four digits from 0001 on"
        );
        assert_eq!(
            fault(&["0001_a.sql", "0003_c.sql"]),
            "migrations: number 0002 is missing before 0003_c.sql; numbers go up from 0001 without a gap"
        );
        assert_eq!(
            fault(&["0001_a.sql", "0001_b.sql"]),
            "migrations/0001_b.sql: number 0001 is taken by migrations/0001_a.sql; give one of them the next free number"
        );
    }

    #[test]
    fn line_ends_do_not_change_the_checksum() {
        let unix = Script::embedded("0001_a.sql", "a\nb");
        let windows = Script::embedded("0001_a.sql", "a\r\nb");
        assert_eq!(unix.checksum, windows.checksum);
        assert_eq!(windows.line_of(3), 2);
    }
}
