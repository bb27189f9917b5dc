use std::path::PathBuf;

/// What keeps the database from serving. No message holds a password. Each holds its cause, which is therefore no `source`: whoever
/// prints a chain of errors would print it twice, the second time behind what to do.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// PostgreSQL's programs are not on this machine.
    #[error(
        "PostgreSQL's programs (initdb, postgres; version {oldest} or newer) were not found in PATH, by pg_config or in the usual folders: \
         install them (`apt-get install postgresql`, `brew install postgresql`), or name a server with `--database-url`"
    )]
    ProgramsMissing {
        /// The oldest major version that serves.
        oldest: u32,
    },
    /// There are no programs on this machine, and they could not be installed.
    #[error(
        "PostgreSQL is not on this machine and could not be installed from {from} into {folder}: {cause}{}: see that there is a \
         network and room on the disk, or install PostgreSQL yourself (`apt-get install postgresql`, `brew install postgresql`), \
         or name a server with `--database-url`",
        deeper(cause)
    )]
    Install {
        /// The address of the archive.
        from: String,
        /// Where it was to go.
        folder: PathBuf,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// The folder of `--postgres-dir` holds something, but not PostgreSQL's programs.
    #[error(
        "{folder} (`--postgres-dir`) holds no PostgreSQL (bin/postgres, bin/initdb) and is not empty: name the folder of an \
         installation, or an empty one to install into"
    )]
    NotPrograms {
        /// The folder.
        folder: PathBuf,
    },
    /// The data folder was made by another major version than those installed.
    #[error(
        "the data folder {folder} was made by PostgreSQL {made_by}, but this machine has {installed}: install PostgreSQL {made_by}, \
         or start afresh with another `--state-dir`"
    )]
    DataFolderVersion {
        /// The data folder.
        folder: PathBuf,
        /// Major version that made it.
        made_by: String,
        /// What was found, in words.
        installed: String,
    },
    /// The account that runs the server cannot enter the state folder.
    #[error(
        "the account `{account}`, under which root starts PostgreSQL, cannot enter {blocked_at}: choose a folder it can reach, \
         for instance `{remedy}`"
    )]
    Unreachable {
        /// The account's name.
        account: String,
        /// The first folder on the way that is closed to it.
        blocked_at: PathBuf,
        /// The flag that names another.
        remedy: &'static str,
    },
    /// Root runs the host and there is no account to run the server under.
    #[error(
        "PostgreSQL refuses to run as root and there is no account `{account}` to run it under: add it (`useradd --system {account}`), \
         start plaza as another user, or name a server with `--database-url`"
    )]
    AccountMissing {
        /// The account looked for.
        account: String,
    },
    /// Another host uses the same state folder.
    #[error(
        "the state folder {folder} is in use by another host (process {pid}): stop it, or choose another `--state-dir`"
    )]
    InUse {
        /// The state folder.
        folder: PathBuf,
        /// The process that holds it, or `unknown`.
        pid: String,
    },
    /// A file or folder of the state folder could not be used.
    #[error("cannot {action} {path}: {cause}{}", remedy_for_file(cause))]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// `initdb` failed.
    #[error("initdb could not make a data folder in {folder}: {output}{remedy}")]
    Initialise {
        /// The folder.
        folder: PathBuf,
        /// Its last words.
        output: String,
        /// What to do, if known.
        remedy: &'static str,
    },
    /// The server ended while starting.
    #[error("PostgreSQL did not start: {output}{remedy} (its log: {log})")]
    Start {
        /// The last lines of its log.
        output: String,
        /// What to do, if known.
        remedy: &'static str,
        /// The log file.
        log: PathBuf,
    },
    /// The server ended while the host ran, and could not be started again.
    #[error(
        "PostgreSQL ended while plaza ran and could not be started again, {starts} times: {reason}; what was committed is safe: \
         mend that, and start plaza again"
    )]
    Lost {
        /// How often it was tried.
        starts: u32,
        /// What the last try came to.
        reason: String,
    },
    /// A server that an earlier host left behind does not stop.
    #[error(
        "a PostgreSQL server of an earlier run (process {pid}) still uses {folder} and does not stop: end that process, then start again"
    )]
    LeftOver {
        /// Its process id.
        pid: i32,
        /// The data folder.
        folder: PathBuf,
    },
    /// The server did not end in time.
    #[error(
        "PostgreSQL (process {pid}) did not stop within {seconds} s; it goes on by itself and the next start will stop it"
    )]
    Stop {
        /// Its process id.
        pid: i32,
        /// How long was waited.
        seconds: u64,
    },
    /// The data folder is there, but the administrator's password is lost.
    #[error(
        "{path} is missing, so the server in {folder} cannot be entered: restore the file, or start afresh with another `--state-dir`"
    )]
    PasswordLost {
        /// Where the password should stand.
        path: PathBuf,
        /// The data folder.
        folder: PathBuf,
    },
    /// `--database-url` cannot be read.
    #[error(
        "`--database-url` is not an address of a PostgreSQL server ({reason}): write postgres://user:password@host:port/database"
    )]
    Address {
        /// What is wrong with it, without the address.
        reason: String,
    },
    /// No connection to the server.
    #[error("cannot connect to PostgreSQL at {address}: {}{}", words(cause), remedy(cause))]
    Connect {
        /// Where, without the password.
        address: String,
        /// Why.
        cause: sqlx::Error,
    },
    /// The server is older than supported.
    #[error("the server at {address} is PostgreSQL {version}; version {oldest} or newer is needed")]
    ServerVersion {
        /// Where.
        address: String,
        /// What it says of itself.
        version: String,
        /// The oldest major version that serves.
        oldest: u32,
    },
    /// The administrator of `--database-url` may not make databases or roles.
    #[error(
        "the user `{user}` at {address} lacks {missing}: run `ALTER ROLE {user} {missing}` as a superuser, or give another user in `--database-url`"
    )]
    Rights {
        /// The user.
        user: String,
        /// Where.
        address: String,
        /// The attributes it lacks.
        missing: String,
    },
    /// A name from the manifest that cannot be a database's.
    #[error(
        "`{name}` cannot name a database: use a lower-case letter, then letters, digits and `_`, at most 63, and none of PostgreSQL's or plaza's own"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name is taken by something that this host did not make.
    #[error(
        "the server already has a {what} `{name}` that plaza did not make: choose another `database` in the manifest, or remove it"
    )]
    Taken {
        /// `role` or `database`.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A statement of the host failed.
    #[error("cannot {action}: {}", words(cause))]
    Query {
        /// What was tried.
        action: String,
        /// Why it failed.
        cause: sqlx::Error,
    },
    /// A migration cannot be applied.
    #[error(transparent)]
    Migration(#[from] super::MigrationError),
}

impl DatabaseError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { action, path, cause }
    }

    /// Did it fail for want of room on a disk? Somebody will make some, so trying again is worth while.
    pub(crate) fn is_full_disk(&self) -> bool {
        match self {
            Self::Start { remedy, .. } => [DISK_FULL, QUOTA_USED].contains(remedy),
            Self::File { cause, .. } => !remedy_for_file(cause).is_empty(),
            _ => false,
        }
    }

    pub(crate) fn query(action: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let action = action.into();
        move |cause| Self::Query { action, cause }
    }
}

/// The server's own message where there is one, with its hint.
pub(crate) fn words(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else {
        return error.to_string();
    };
    let hint = database
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .and_then(|postgres| postgres.hint())
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    format!("{}{hint}", database.message())
}

/// What to do about a connection that failed, where it is known.
fn remedy(error: &sqlx::Error) -> &'static str {
    match sql_state(error).as_deref() {
        Some("28P01" | "28000") => ": check user and password",
        Some("53300") => ": the server has no free connection; raise its max_connections",
        Some("3D000") => ": name an existing database, for instance `postgres`",
        _ if matches!(error, sqlx::Error::Io(_)) => ": is the server running, and the address right?",
        _ => "",
    }
}

/// The SQLSTATE of a server's error.
pub(crate) fn sql_state(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// What to do about a full disk.
pub(crate) const DISK_FULL: &str = ": the disk is full; free some space, nothing is lost";

/// What to do about a quota.
const QUOTA_USED: &str = ": the disk quota is used up; free some space, nothing is lost";

/// What to do about a file that could not be used, where it is known.
fn remedy_for_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => DISK_FULL,
        std::io::ErrorKind::QuotaExceeded => QUOTA_USED,
        _ => "",
    }
}

/// The cause behind an error, which its own words may leave out.
fn deeper(error: &std::io::Error) -> String {
    let deeper = error.get_ref().and_then(std::error::Error::source);
    deeper.map(|deeper| format!(" ({deeper})")).unwrap_or_default()
}

/// What to do about a fault that PostgreSQL's programs report in words.
pub(crate) fn remedy_for_output(output: &str) -> &'static str {
    const REMEDIES: [(&str, &str); 6] = [
        ("No space left on device", DISK_FULL),
        // The system took what it had room for, and so gave no error.
        ("wrote only", DISK_FULL),
        ("Disk quota exceeded", QUOTA_USED),
        (
            "could not resize shared memory",
            ": /dev/shm is too small; give the container more, for instance `--shm-size 256m`",
        ),
        ("incompatible with server", ": the data folder belongs to another major version of PostgreSQL"),
        ("Permission denied", ": the account that runs PostgreSQL must own the data folder"),
    ];
    REMEDIES.iter().find(|(fault, _)| output.contains(fault)).map_or("", |(_, remedy)| remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_with_room_for_a_part_of_what_is_written_is_full_as_well() {
        for said in [
            "FATAL:  could not write to file \"pg_wal/xlogtemp.2090\": No space left on device",
            "FATAL:  could not extend file \"base/1/3085\": wrote only 4096 of 8192 bytes at block 4",
        ] {
            assert_eq!(remedy_for_output(said), DISK_FULL, "{said}");
        }
        assert_eq!(remedy_for_output("FATAL:  something else"), "");
    }
}
