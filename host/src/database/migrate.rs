//! Migrations: a folder of numbered `.sql` files, applied in order, each once, never edited afterwards.

mod script;

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection,
    postgres::{PgDatabaseError, PgErrorPosition},
};

pub(super) use self::script::Script;
use super::{
    ComponentDatabase, DatabaseError,
    connections::Connections,
    error::{sql_state, words},
    server,
};

/// Serialises hosts that migrate one database. Any constant will do; this one is "migrate" in ASCII.
const MIGRATION_LOCK: i64 = 0x6d_6967_7261_7465;

/// How long a component's database may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What is wrong with migrations, each with the file.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// A file name without number and name.
    #[error("{path}: name it NNNN_what_it_does.sql, with a number of four digits from 0001 on")]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// Two files with one number.
    #[error("{second}: number {number:04} is taken by {first}; give one of them the next free number")]
    Duplicate {
        /// The number.
        number: u32,
        /// The one that came first.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A number is missing.
    #[error("{folder}: number {missing:04} is missing before {next}; numbers go up from 0001 without a gap")]
    Gap {
        /// The folder.
        folder: PathBuf,
        /// The first number that is missing.
        missing: u32,
        /// The file that follows.
        next: String,
    },
    /// A file was changed after it had been applied.
    #[error(
        "{path} was edited after it had been applied to this database: restore it, and put the change into a new file {next:04}_….sql"
    )]
    Edited {
        /// The file.
        path: PathBuf,
        /// The next free number.
        next: u32,
    },
    /// The SQL of a file failed; nothing of the file stays.
    #[error("{path}{}: {message}", place(*line))]
    Sql {
        /// The file.
        path: PathBuf,
        /// Where in it, counted from 1, if the server says.
        line: Option<usize>,
        /// The server's message.
        message: String,
    },
    /// A file ends the transaction that it runs in.
    #[error("{path}: leave out BEGIN, COMMIT and ROLLBACK; each file runs in a transaction of its own")]
    Transaction {
        /// The file.
        path: PathBuf,
    },
    /// Another host has been migrating for too long.
    #[error(
        "another host has been migrating this database for more than {seconds} s: wait for it or end it, then try again"
    )]
    Busy {
        /// How long was waited.
        seconds: u64,
    },
}

/// The list of migrations, named so that `search_path` need not lead there: a migration may set another for its session or its role.
const FIND_LIST: &str = "
SELECT format('%I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'plaza_migrations' AND c.relkind = 'r' AND c.relpersistence = 'p'
ORDER BY pg_table_is_visible(c.oid) DESC, c.oid
LIMIT 1";

const CREATE_LIST: &str = "
CREATE TABLE plaza_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// How long another host's migrations are waited for.
const LOCK_SECONDS: u64 = 60;

/// Applies what is new in the folder, as the component's own role. Returns the names of the files that were applied.
///
/// # Errors
/// [`DatabaseError::Migration`] names the file, and the line where the server gave a position; earlier files stay applied.
pub async fn migrate(database: &ComponentDatabase, folder: &Path) -> Result<Vec<String>, DatabaseError> {
    let scripts = script::read_folder(folder)?;
    let mut connection = enter(database, &Connections::new(server::component_options(&database.url)?)).await?;
    let applied = apply(&mut connection, &scripts).await?;
    drop(connection.close().await);
    Ok(applied)
}

/// Whether the files of a migrations folder are named as they must be.
///
/// # Errors
/// The first that is not.
pub fn check_migrations(folder: &Path) -> Result<(), MigrationError> {
    script::read_folder(folder).map(drop)
}

/// Applies migrations to databases again and again, most often to find nothing new.
#[derive(Default)]
pub struct Migrator {
    /// Those to the database of this address, which was the last. One is enough to keep: a server has only so many.
    last: Mutex<Option<(String, Connections)>>,
}

impl Migrator {
    /// Applies what is new among these files, given by name with their text, as [`migrate`] does with a folder.
    ///
    /// # Errors
    /// As [`migrate`].
    pub async fn migrate(
        &self,
        database: &ComponentDatabase,
        files: &[(String, String)],
    ) -> Result<Vec<String>, DatabaseError> {
        let texts = files.iter().map(|(name, text)| (text.clone(), PathBuf::from(name))).collect();
        let scripts = script::of_texts(Path::new("the migrations"), texts)?;
        let connections = self.connections(database)?;
        let mut connection = enter(database, &connections).await?;
        let applied = apply(&mut connection, &scripts).await?;
        match applied.is_empty() {
            true => connections.keep(connection),
            // A script may have left its session in any state.
            false => drop(connection.close().await),
        }
        Ok(applied)
    }

    fn connections(&self, database: &ComponentDatabase) -> Result<Connections, DatabaseError> {
        let options = server::component_options(&database.url)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let same = last.take().filter(|(url, _)| *url == database.url);
        let (_, connections) = last.insert(same.unwrap_or_else(|| (database.url.clone(), Connections::new(options))));
        Ok(connections.clone())
    }
}

async fn enter(database: &ComponentDatabase, connections: &Connections) -> Result<PgConnection, DatabaseError> {
    let failed = |cause| DatabaseError::Connect { address: format!("{}/{}", database.host, database.name), cause };
    connections.connect(CONNECT_TIMEOUT).await.map_err(failed)
}

/// Applies what is new. On an error the connection must be closed: it may hold the lock.
pub(super) async fn apply(connection: &mut PgConnection, scripts: &[Script]) -> Result<Vec<String>, DatabaseError> {
    let known = find_list(connection).await?;
    if pending(connection, known.as_deref(), scripts).await?.is_empty() {
        return Ok(Vec::new());
    }
    lock(connection).await?;
    let list = list(connection).await?;
    let failed = || DatabaseError::query("keep the list of migrations");
    let mut applied = Vec::new();
    // Asked again: another host may have been at work until the lock was ours.
    for script in pending(connection, Some(&list), scripts).await? {
        apply_one(connection, &list, script).await?;
        // What it has set (a dump sets `search_path`) holds for itself alone.
        sqlx::raw_sql("RESET ALL").execute(&mut *connection).await.map_err(failed())?;
        bound_waiting(connection).await.map_err(failed())?;
        applied.push(script.name.clone());
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(MIGRATION_LOCK).execute(connection).await.map_err(failed())?;
    Ok(applied)
}

/// The scripts that are not in the list yet, where there is one.
/// A database that is ahead of the scripts is fine: an older version runs on a newer schema.
async fn pending<'a>(
    connection: &mut PgConnection,
    list: Option<&str>,
    scripts: &'a [Script],
) -> Result<Vec<&'a Script>, DatabaseError> {
    let failed = || DatabaseError::query("read the list of migrations");
    let Some(list) = list else {
        return Ok(scripts.iter().collect());
    };
    let asked = sqlx::query_as(AssertSqlSafe(format!("SELECT number, checksum FROM {list}")));
    let applied: Vec<(i32, String)> = asked.fetch_all(connection).await.map_err(failed())?;
    let mut pending = Vec::new();
    for script in scripts {
        match applied.iter().find(|(number, _)| u32::try_from(*number) == Ok(script.number)) {
            None => pending.push(script),
            Some((_, checksum)) if *checksum == script.checksum => {}
            Some(_) => {
                let next = applied.iter().filter_map(|(number, _)| u32::try_from(*number).ok()).max().unwrap_or(0) + 1;
                return Err(MigrationError::Edited { path: script.path.clone(), next }.into());
            }
        }
    }
    Ok(pending)
}

/// Waits for other hosts, within bounds.
async fn lock(connection: &mut PgConnection) -> Result<(), DatabaseError> {
    let failed = || DatabaseError::query("lock the list of migrations");
    bound_waiting(connection).await.map_err(failed())?;
    match sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) if sql_state(&error).as_deref() == Some("55P03") => {
            Err(MigrationError::Busy { seconds: LOCK_SECONDS }.into())
        }
        Err(error) => Err(failed()(error)),
    }
}

/// No lock is waited for any longer.
async fn bound_waiting(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let bound = sqlx::query("SELECT set_config('lock_timeout', $1, false)").bind(format!("{LOCK_SECONDS}s"));
    bound.execute(connection).await.map(drop)
}

/// The list's name; it is made where there is none.
async fn list(connection: &mut PgConnection) -> Result<String, DatabaseError> {
    if let Some(list) = find_list(connection).await? {
        return Ok(list);
    }
    let failed = || DatabaseError::query("make the list of migrations");
    sqlx::query(CREATE_LIST).execute(&mut *connection).await.map_err(failed())?;
    sqlx::query_scalar(FIND_LIST).fetch_one(connection).await.map_err(failed())
}

async fn find_list(connection: &mut PgConnection) -> Result<Option<String>, DatabaseError> {
    let failed = DatabaseError::query("look for the list of migrations");
    sqlx::query_scalar(FIND_LIST).fetch_optional(connection).await.map_err(failed)
}

/// Runs one script and records it, or does neither.
async fn apply_one(connection: &mut PgConnection, list: &str, script: &Script) -> Result<(), DatabaseError> {
    let failed = || DatabaseError::query(format!("record the migration {}", script.name));
    let mut transaction = connection.begin().await.map_err(failed())?;
    let before: String = transaction_id(&mut transaction).await.map_err(failed())?;
    sqlx::raw_sql(AssertSqlSafe(script.sql.as_str()))
        .execute(&mut *transaction)
        .await
        .map_err(|error| sql_fault(script, &error))?;
    if transaction_id(&mut transaction).await.map_err(failed())? != before {
        return Err(MigrationError::Transaction { path: script.path.clone() }.into());
    }
    // The role that it has taken on need not be allowed to.
    sqlx::raw_sql("SET SESSION AUTHORIZATION DEFAULT").execute(&mut *transaction).await.map_err(failed())?;
    let record = format!("INSERT INTO {list} (number, name, checksum) VALUES ($1, $2, $3)");
    sqlx::query(AssertSqlSafe(record))
        .bind(i32::try_from(script.number).unwrap_or(i32::MAX))
        .bind(&script.name)
        .bind(&script.checksum)
        .execute(&mut *transaction)
        .await
        .map_err(failed())?;
    transaction.commit().await.map_err(failed())
}

async fn transaction_id(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_current_xact_id()::text").fetch_one(connection).await
}

/// The server's complaint about a script, with the line it points at.
fn sql_fault(script: &Script, error: &sqlx::Error) -> MigrationError {
    let position = error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        .and_then(PgDatabaseError::position);
    let line = match position {
        Some(PgErrorPosition::Original(character)) => Some(script.line_of(character)),
        _ => None,
    };
    MigrationError::Sql { path: script.path.clone(), line, message: words(error) }
}

fn place(line: Option<usize>) -> String {
    line.map(|line| format!(":{line}")).unwrap_or_default()
}
