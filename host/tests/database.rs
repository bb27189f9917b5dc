//! The database server in its good and bad hours, against real PostgreSQL programs.

use std::collections::BTreeMap;

use plaza::{
    database::{Database, DatabaseSettings},
    manifest::app::Generate,
};

fn settings(state_dir: &std::path::Path) -> DatabaseSettings {
    DatabaseSettings { state_dir: state_dir.to_owned(), external_url: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_finds_everything_again_and_is_fast() {
    let state = tempfile::tempdir().unwrap();
    let wanted = BTreeMap::from([
        ("admin_password".to_owned(), Generate::Password),
        ("service_token".to_owned(), Generate::Token),
        ("token_key".to_owned(), Generate::Ed25519),
    ]);
    let began = std::time::Instant::now();
    let database = Database::start(&settings(state.path())).await.unwrap();
    println!("first start {:?}", began.elapsed());
    let began = std::time::Instant::now();
    let orders = database.provision("orders_database").await.unwrap();
    println!("provision {:?}", began.elapsed());
    let generated = database.generate(&wanted).await.unwrap();
    assert_eq!(generated.fresh.len(), 4);
    let began = std::time::Instant::now();
    database.stop().await.unwrap();
    println!("stop {:?}", began.elapsed());

    let began = std::time::Instant::now();
    let database = Database::start(&settings(state.path())).await.unwrap();
    println!("second start {:?}", began.elapsed());
    let began = std::time::Instant::now();
    assert_eq!(database.provision("orders_database").await.unwrap(), orders);
    let again = database.generate(&wanted).await.unwrap();
    println!("provision, generate {:?}", began.elapsed());
    assert_eq!(again.variables, generated.variables);
    assert!(again.fresh.is_empty());
    database.stop().await.unwrap();
}
