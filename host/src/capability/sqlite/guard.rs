//! What a guest's statements may do: everything within their own database, and nothing else.

use rusqlite::{
    Connection,
    config::DbConfig,
    hooks::{AuthAction, AuthContext, Authorization},
    limits::Limit,
};

use crate::limits::{SQLITE_STATEMENT_BYTES, SQLITE_VALUE_BYTES};

/// Pragmas that tell something, or set something that belongs to the database or to this connection's statements alone.
const ALLOWED: &[&str] = &[
    "application_id",
    "case_sensitive_like",
    "collation_list",
    "compile_options",
    "data_version",
    "defer_foreign_keys",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "foreign_keys",
    "freelist_count",
    "function_list",
    "ignore_check_constraints",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "legacy_alter_table",
    "module_list",
    "optimize",
    "page_count",
    "page_size",
    "pragma_list",
    "query_only",
    "quick_check",
    "recursive_triggers",
    "reverse_unordered_selects",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
];

/// Pragmas that libraries set out of habit. The host has set them already, so they have no effect, and asking is in order.
const SETTLED: &[&str] = &[
    "auto_vacuum",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "journal_mode",
    "journal_size_limit",
    "locking_mode",
    "max_page_count",
    "mmap_size",
    "synchronous",
    "temp_store",
    "wal_autocheckpoint",
    "wal_checkpoint",
];

/// Puts a connection under guard.
///
/// # Errors
/// What SQLite says.
pub fn set(connection: &Connection) -> rusqlite::Result<()> {
    // VACUUM attaches a file without a name while it works.
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 1)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, SQLITE_VALUE_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, SQLITE_STATEMENT_BYTES)?;
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    // A guest cannot write where SQLite trusts what it reads.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.authorizer(Some(|context: AuthContext<'_>| judge(context.action)))
}

fn judge(action: AuthAction<'_>) -> Authorization {
    match action {
        // A name that is an expression comes as an unknown action.
        AuthAction::Unknown { .. } => Authorization::Deny,
        AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
        AuthAction::Function { function_name } if function_name.eq_ignore_ascii_case("load_extension") => {
            Authorization::Deny
        }
        AuthAction::Pragma { pragma_name, pragma_value } => judge_pragma(pragma_name, pragma_value),
        _ => Authorization::Allow,
    }
}

fn judge_pragma(name: &str, value: Option<&str>) -> Authorization {
    let among = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    match value {
        _ if among(ALLOWED) => Authorization::Allow,
        None if among(SETTLED) && !name.eq_ignore_ascii_case("wal_checkpoint") => Authorization::Allow,
        _ if among(SETTLED) => Authorization::Ignore,
        _ => Authorization::Deny,
    }
}
