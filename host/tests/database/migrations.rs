//! Migrations on a real server.

use std::{fs, path::Path};

use plaza::database::{ComponentDatabase, Migrator, migrate};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use crate::ground::{connect, fresh_component, on_shared, until};

#[test]
fn new_files_are_applied_once_in_order() {
    on_shared(|database| async move {
        let component = fresh_component(database, "migrated").await;
        let folder = folder(&[("0001_first.sql", "CREATE TABLE one (); CREATE TABLE two ();")]);
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0001_first.sql"]);
        write(&folder, "0002_second.sql", "ALTER TABLE one ADD number int");
        write(&folder, "0003_third.sql", "INSERT INTO one VALUES (3)");
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0002_second.sql", "0003_third.sql"]);
        assert!(migrate(&component, folder.path()).await.unwrap().is_empty());
        assert_eq!(of_table(&component, "one", "tableowner").await, component.name);
    });
}

#[test]
fn what_a_migration_sets_for_its_session_is_gone_at_the_next_one() {
    on_shared(|database| async move {
        let scripts = [
            ("0001_first.sql", "CREATE TABLE first ()"),
            ("0002_astray.sql", "SET search_path TO pg_temp; SET default_transaction_read_only TO on"),
            ("0003_third.sql", "ALTER TABLE first ADD number int"),
        ];
        let together = fresh_component(database, "together").await;
        let names = scripts.map(|(name, _)| name);
        assert_eq!(migrate(&together, folder(&scripts).path()).await.unwrap(), names);
        let component = fresh_component(database, "in_turn").await;
        let migrator = Migrator::default();
        let mut files = Vec::new();
        for (name, text) in scripts {
            files.push((name.to_owned(), text.to_owned()));
            assert_eq!(migrator.migrate(&component, &files).await.unwrap(), [name]);
            for _ in 0..2 {
                assert!(migrator.migrate(&component, &files).await.unwrap().is_empty());
            }
        }
    });
}

#[test]
fn a_search_path_that_a_migration_gives_its_role_does_not_hide_what_was_applied() {
    on_shared(|database| async move {
        let component = fresh_component(database, "led_elsewhere").await;
        let elsewhere = "CREATE SCHEMA shop; ALTER ROLE CURRENT_USER SET search_path TO shop";
        let folder = folder(&[("0001_elsewhere.sql", elsewhere)]);
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0001_elsewhere.sql"]);
        assert!(migrate(&component, folder.path()).await.unwrap().is_empty());
        write(&folder, "0002_second.sql", "CREATE TABLE second ()");
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0002_second.sql"]);
        assert!(migrate(&component, folder.path()).await.unwrap().is_empty());
        assert_eq!(of_table(&component, "second", "schemaname").await, "shop");
    });
}

#[test]
fn a_role_that_a_migration_takes_on_is_laid_down_with_it() {
    on_shared(|database| async move {
        let component = fresh_component(database, "borrower").await;
        let borrowed = format!("{}_borrowed", component.name);
        for statement in [format!("CREATE ROLE {borrowed}"), format!("GRANT {borrowed} TO {}", component.name)] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(database.state()).await.unwrap();
        }
        let folder = folder(&[
            ("0001_borrow.sql", format!("SET ROLE {borrowed}").as_str()),
            ("0002_own.sql", "CREATE TABLE own ()"),
        ]);
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0001_borrow.sql", "0002_own.sql"]);
        assert_eq!(of_table(&component, "own", "tableowner").await, component.name);
    });
}

#[test]
fn one_session_is_kept_for_migrations_and_no_more() {
    on_shared(|database| async move {
        let components = [fresh_component(database, "before").await, fresh_component(database, "after").await];
        let migrator = Migrator::default();
        let files = [("0001_first.sql".to_owned(), "CREATE TABLE first ()".to_owned())];
        for component in &components {
            for _ in 0..2 {
                migrator.migrate(component, &files).await.unwrap();
            }
        }
        let sessions = |component: &ComponentDatabase| {
            let clients = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'";
            sqlx::query_scalar::<_, i32>(clients).bind(component.name.clone()).fetch_all(database.state())
        };
        let [before, after] = &components;
        until("the session of the database before is gone", || async { sessions(before).await.unwrap().is_empty() })
            .await;
        until("one session of the other is left", || async { sessions(after).await.unwrap().len() == 1 }).await;
        let kept = sessions(after).await.unwrap();
        migrator.migrate(after, &files).await.unwrap();
        assert_eq!(sessions(after).await.unwrap(), kept);
    });
}

#[test]
fn a_database_ahead_of_the_folder_serves_an_older_version() {
    on_shared(|database| async move {
        let component = fresh_component(database, "ahead").await;
        let newer = folder(&[("0001_a.sql", "CREATE TABLE a ()"), ("0002_b.sql", "CREATE TABLE b ()")]);
        migrate(&component, newer.path()).await.unwrap();
        fs::remove_file(newer.path().join("0002_b.sql")).unwrap();
        assert!(migrate(&component, newer.path()).await.unwrap().is_empty());
    });
}

#[test]
fn a_failing_file_is_named_with_its_line_and_leaves_nothing() {
    on_shared(|database| async move {
        let component = fresh_component(database, "failing").await;
        let folder = folder(&[
            ("0001_good.sql", "CREATE TABLE good ()"),
            ("0002_bad.sql", "CREATE TABLE half_done ();\n-- ünïcödé\nSELECT nothing FROM nowhere;\n"),
        ]);
        let error = fault(&component, folder.path()).await;
        assert_eq!(error, "0002_bad.sql:3: relation \"nowhere\" does not exist");
        write(&folder, "0002_bad.sql", "CREATE TABLE half_done ()");
        assert_eq!(migrate(&component, folder.path()).await.unwrap(), ["0002_bad.sql"]);
    });
}

#[test]
fn a_file_edited_after_it_was_applied_is_refused() {
    on_shared(|database| async move {
        let component = fresh_component(database, "edited").await;
        let folder = folder(&[("0001_a.sql", "CREATE TABLE a ()")]);
        migrate(&component, folder.path()).await.unwrap();
        write(&folder, "0001_a.sql", "CREATE TABLE a (number int)");
        let error = fault(&component, folder.path()).await;
        assert!(error.starts_with("0001_a.sql was edited after it had been applied"), "{error}");
        assert!(error.ends_with("put the change into a new file 0002_….sql"), "{error}");
    });
}

#[test]
fn a_file_that_ends_its_transaction_is_refused() {
    on_shared(|database| async move {
        let component = fresh_component(database, "commits").await;
        let folder = folder(&[("0001_a.sql", "CREATE TABLE a (); COMMIT;")]);
        let error = fault(&component, folder.path()).await;
        assert!(error.contains("leave out BEGIN, COMMIT and ROLLBACK"), "{error}");
    });
}

#[test]
fn hosts_that_migrate_at_once_apply_each_file_once() {
    on_shared(|database| async move {
        let component = fresh_component(database, "contended").await;
        let folder =
            folder(&[("0001_a.sql", "CREATE TABLE a (); SELECT pg_sleep(0.05)"), ("0002_b.sql", "CREATE TABLE b ()")]);
        let outcomes = futures::future::join_all((0..4).map(|_| migrate(&component, folder.path()))).await;
        let applied: Vec<String> = outcomes.into_iter().flat_map(|outcome| outcome.unwrap()).collect();
        assert_eq!(applied, ["0001_a.sql", "0002_b.sql"]);
    });
}

/// What `pg_tables` says of a table.
async fn of_table(component: &ComponentDatabase, table: &str, column: &str) -> String {
    let asked = format!("SELECT {column}::text FROM pg_tables WHERE tablename = $1");
    let asked = sqlx::query_scalar(AssertSqlSafe(asked)).bind(table);
    asked.fetch_one(&mut connect(component).await).await.unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in files {
        write(&folder, name, sql);
    }
    folder
}

fn write(folder: &TempDir, name: &str, sql: &str) {
    fs::write(folder.path().join(name), sql).unwrap();
}

async fn fault(component: &ComponentDatabase, folder: &Path) -> String {
    let error = migrate(component, folder).await.unwrap_err().to_string();
    error.replace(&format!("{}/", folder.display()), "")
}
