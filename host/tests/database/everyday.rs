//! What every start and every component relies on.

use std::collections::BTreeMap;

use plaza::{
    database::{Database, DatabaseSettings},
    manifest::app::Generate,
};
use sqlx::{Connection, PgConnection};

use crate::{
    ground::{connect, fresh_component, on_shared, settings},
    other_host::server_process,
    state_folder::initialised_folder,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_everything_again() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let wanted = BTreeMap::from([
        ("admin_password".to_owned(), Generate::Password),
        ("service_token".to_owned(), Generate::Token),
        ("token_key".to_owned(), Generate::Ed25519),
    ]);
    let database = Database::start(&settings(&state)).await.unwrap();
    let orders = database.provision("orders_database").await.unwrap();
    sqlx::query("CREATE TABLE kept (value int)").execute(&mut connect(&orders).await).await.unwrap();
    let generated = database.generate(&wanted).await.unwrap();
    assert_eq!(
        generated.variables.keys().map(String::as_str).collect::<Vec<_>>(),
        ["admin_password", "service_token", "token_key", "token_key_public"]
    );
    assert_eq!(generated.unseen, ["admin_password".to_owned()].into());
    database.stop().await.unwrap();
    assert_eq!(server_process(&state), None);

    let database = Database::start(&settings(&state)).await.unwrap();
    assert_eq!(database.provision("orders_database").await.unwrap(), orders);
    sqlx::query("SELECT value FROM kept").execute(&mut connect(&orders).await).await.unwrap();
    let again = database.generate(&wanted).await.unwrap();
    assert_eq!(again.variables, generated.variables);
    assert_eq!(again.unseen, generated.unseen, "nobody has been shown it yet");
    let password = ["admin_password".to_owned()];
    assert_eq!(database.show(&password).await.unwrap(), password);
    assert_eq!(database.show(&password).await.unwrap(), [""; 0], "it is shown once");
    assert!(database.generate(&wanted).await.unwrap().unseen.is_empty());
    database.stop().await.unwrap();
}

#[test]
fn components_reach_their_own_database_and_no_other() {
    on_shared(|database| async move {
        let one = fresh_component(database, "isolated").await;
        let other = fresh_component(database, "isolated").await;
        connect(&one).await.close().await.unwrap();
        for name in [other.name.as_str(), "plaza", "postgres", "template1"] {
            let foreign = format!("{}/{name}", one.url.rsplit_once('/').unwrap().0);
            let error = PgConnection::connect(&foreign).await.unwrap_err().to_string();
            assert!(error.contains("permission denied"), "{name}: {error}");
        }
    });
}

#[test]
fn a_components_role_keeps_one_plan_and_owns_its_schema() {
    on_shared(|database| async move {
        let component = fresh_component(database, "settings").await;
        let mut connection = connect(&component).await;
        for (setting, expected) in [("plan_cache_mode", "force_generic_plan"), ("random_page_cost", "1.1")] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(setting)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            assert_eq!(value, expected, "{setting}");
        }
        let lower: String = sqlx::query_scalar("SELECT lower('ÄÉÑ')").fetch_one(&mut connection).await.unwrap();
        assert_eq!(lower, "äéñ");
        sqlx::query("CREATE TABLE mine ()").execute(&mut connection).await.unwrap();
    });
}

#[test]
fn a_component_connects_without_the_rounds_that_only_a_weak_password_needs() {
    on_shared(|database| async move {
        fresh_component(database, "verified").await;
        let kept: Vec<String> = sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname LIKE 'verified%'")
            .fetch_all(database.state())
            .await
            .unwrap();
        assert!(!kept.is_empty() && kept.iter().all(|kept| kept.starts_with("SCRAM-SHA-256$1:")), "{kept:?}");
    });
}

#[test]
fn a_role_that_the_host_did_not_make_is_not_taken_over() {
    on_shared(|database| async move {
        sqlx::query("CREATE ROLE somebody_elses").execute(database.state()).await.unwrap();
        let error = database.provision("somebody_elses").await.unwrap_err().to_string();
        assert!(error.contains("already has a role `somebody_elses` that plaza did not make"), "{error}");
        let error = database.provision("Robert'); DROP TABLE x").await.unwrap_err().to_string();
        assert!(error.contains("cannot name a database"), "{error}");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_as_many_connections_as_the_components_may_open() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    for (wanted, at_least) in [(10, 100), (1_000, 1_000)] {
        let settings = DatabaseSettings { component_connections: wanted, ..settings(&state) };
        let database = Database::start(&settings).await.unwrap();
        let taken: String = sqlx::query_scalar("SHOW max_connections").fetch_one(database.state()).await.unwrap();
        let room = database.component_connections().unwrap();
        assert!(room >= at_least && taken.parse::<u32>().unwrap() > room, "{wanted}: {room} of {taken}");
        database.stop().await.unwrap();
    }
}
