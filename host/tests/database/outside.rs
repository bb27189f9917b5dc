//! A server that an address names.

use std::{collections::BTreeMap, fs, net::TcpListener};

use plaza::{
    database::{Database, DatabaseError, DatabaseSettings},
    manifest::app::Generate,
};
use sqlx::{Connection, PgConnection};

use crate::{
    ground::{connect, settings},
    state_folder::initialised_folder,
};

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_may_begin_at_once_on_a_server_outside() {
    let folder = initialised_folder();
    let state = folder.path().join("state");
    let server = Database::start(&settings(&state)).await.unwrap();
    let password = fs::read_to_string(state.join("postgres-password")).unwrap();
    let host = server.provision("unused").await.unwrap().host;
    let mut entrance =
        PgConnection::connect(&format!("postgres://plaza_admin:{}@{host}/postgres", password.trim())).await.unwrap();
    for statement in [
        "DROP DATABASE plaza WITH (FORCE)",
        "CREATE ROLE chief LOGIN CREATEDB CREATEROLE PASSWORD 'sesame'",
        "CREATE ROLE clerk LOGIN PASSWORD 'sesame'",
        "GRANT CONNECT ON DATABASE postgres TO chief, clerk",
    ] {
        sqlx::query(statement).execute(&mut entrance).await.unwrap();
    }

    let outside = |user: &str| DatabaseSettings {
        state_dir: state.clone(),
        postgres_dir: None,
        external_url: Some(format!("postgres://{user}:sesame@{host}/postgres")),
        component_connections: 0,
    };
    let chief = outside("chief");
    let (one, other) = tokio::join!(Database::start(&chief), Database::start(&chief));
    let (one, other) = (one.unwrap(), other.unwrap());
    let (first, second) = tokio::join!(one.provision("orders"), other.provision("orders"));
    assert_eq!(first.as_ref().unwrap(), second.as_ref().unwrap());
    connect(&first.unwrap()).await.close().await.unwrap();
    let wanted = BTreeMap::from([("token_key".to_owned(), Generate::Ed25519)]);
    let (first, second) = tokio::join!(one.generate(&wanted), other.generate(&wanted));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.variables, second.variables);
    one.stop().await.unwrap();
    other.stop().await.unwrap();

    let error = Database::start(&outside("clerk")).await.err().unwrap().to_string();
    assert!(error.contains("the user `clerk`") && error.contains("lacks CREATEDB CREATEROLE"), "{error}");
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_does_not_answer_is_told_without_its_password() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = DatabaseSettings {
        state_dir: "unused".into(),
        postgres_dir: None,
        external_url: Some(format!("postgres://admin:hunter2@127.0.0.1:{port}/postgres")),
        component_connections: 0,
    };
    let error: DatabaseError = Database::start(&settings).await.err().unwrap();
    assert!(
        error
            .to_string()
            .contains(&format!("cannot connect to PostgreSQL at postgres://admin@127.0.0.1:{port}/postgres")),
        "{error}"
    );
    assert!(!format!("{error} {error:?} {settings:?}").contains("hunter2"), "{error:?}");
}
