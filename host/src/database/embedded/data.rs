//! The data folder: made once by `initdb`.

use std::{fs, os::unix::fs::DirBuilderExt, path::Path, process::Stdio};

use super::{ADMINISTRATOR, account::Account, folder::StateFolder, programs::Programs};
use crate::database::{DatabaseError, error::remedy_for_output};

/// The first version whose own locale has all of Unicode's letters whatever the system.
const BUILTIN_LOCALE: u32 = 17;

/// Makes the data folder if there is none; returns the administrator's password.
pub(super) async fn prepare(
    folder: &StateFolder,
    programs: &Programs,
    account: &Account,
) -> Result<String, DatabaseError> {
    if folder.data_version()?.is_none() {
        return make(folder, programs, account).await;
    }
    match folder.password()? {
        Some(password) => Ok(password),
        None => Err(DatabaseError::PasswordLost { path: folder.password_file(), folder: folder.data() }),
    }
}

/// Makes it beside its place first, so that a crash leaves nothing half made where the server looks.
async fn make(folder: &StateFolder, programs: &Programs, account: &Account) -> Result<String, DatabaseError> {
    let unfinished = folder.unfinished_data();
    let data = folder.data();
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(DatabaseError::file("remove", &unfinished))?;
    }
    // An empty folder in its place is no loss; anything else is not ours.
    if data.exists() {
        fs::remove_dir(&data)
            .map_err(DatabaseError::file("replace (it holds no PG_VERSION, so it is no data folder)", &data))?;
    }
    let password = folder.make_password(account)?;
    let made = make_beside(folder, programs, account).await;
    if made.is_err() {
        // Half a data folder is of no use and takes up room, perhaps the room that was lacking.
        drop(fs::remove_dir_all(&unfinished));
    }
    made.map(|()| password)
}

async fn make_beside(folder: &StateFolder, programs: &Programs, account: &Account) -> Result<(), DatabaseError> {
    let (unfinished, data) = (folder.unfinished_data(), folder.data());
    let mut output = String::new();
    for locale in locales(programs.major()) {
        empty_folder(&unfinished, account)?;
        match initdb(folder, programs, account, locale).await {
            Ok(()) => return fs::rename(&unfinished, &data).map_err(DatabaseError::file("rename", &unfinished)),
            Err(DatabaseError::Initialise { output: said, .. }) if said.contains("locale") => output = said,
            Err(error) => return Err(error),
        }
    }
    Err(DatabaseError::Initialise { folder: data, remedy: "", output })
}

/// Letters of every language, compared by code point: the same on every machine. The last one works anywhere.
fn locales(major: u32) -> &'static [&'static [&'static str]] {
    match major >= BUILTIN_LOCALE {
        true => &[&["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"], &["--no-locale"]],
        false => &[&["--locale=C", "--lc-ctype=C.UTF-8"], &["--locale=C", "--lc-ctype=en_US.UTF-8"], &["--no-locale"]],
    }
}

fn empty_folder(path: &Path, account: &Account) -> Result<(), DatabaseError> {
    if path.exists() {
        fs::remove_dir_all(path).map_err(DatabaseError::file("remove", path))?;
    }
    fs::DirBuilder::new().mode(0o700).create(path).map_err(DatabaseError::file("make", path))?;
    account.own(path)
}

async fn initdb(
    folder: &StateFolder,
    programs: &Programs,
    account: &Account,
    locale: &[&str],
) -> Result<(), DatabaseError> {
    let mut command = account.command(programs.initdb(), folder.path());
    command
        .args(["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"])
        .arg(format!("--username={ADMINISTRATOR}"))
        .args(locale)
        .arg("--pwfile")
        .arg(folder.password_file())
        .arg("--pgdata")
        .arg(folder.unfinished_data())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(DatabaseError::file("run", programs.initdb()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let faults: Vec<&str> = said.lines().filter(|line| line.contains("error:") || line.contains("FATAL")).collect();
    let said = if faults.is_empty() { said.trim().to_owned() } else { faults.join("; ") };
    Err(DatabaseError::Initialise { folder: folder.data(), remedy: remedy_for_output(&said), output: said })
}
