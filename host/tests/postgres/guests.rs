//! A real guest (`tests/guests/database-values`), which uses the SDK.

use super::{Fixture, until};
use plaza::capability::postgres::{self, DbValue, PostgresContext, PostgresView};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

pub struct Data {
    wasi: WasiCtx,
    table: ResourceTable,
    postgres: PostgresContext,
}

impl WasiView for Data {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

fn view(data: &mut Data) -> PostgresView<'_> {
    PostgresView { ctx: &mut data.postgres, table: &mut data.table }
}

/// What guests are linked to.
fn linker() -> &'static Linker<Data> {
    static LINKER: OnceLock<Linker<Data>> = OnceLock::new();
    LINKER.get_or_init(|| {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let mut linker = Linker::new(&Engine::new(&config).unwrap());
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi::p3::add_to_linker(&mut linker).unwrap();
        postgres::add_to_linker(&mut linker, view).unwrap();
        linker
    })
}

/// The guest that uses the SDK, compiled once.
fn guest() -> &'static Component {
    static GUEST: OnceLock<Component> = OnceLock::new();
    GUEST.get_or_init(|| compile("database_values.wasm"))
}

/// Compiles one of the guests.
pub fn compile(file: &str) -> Component {
    Component::from_file(linker().engine(), folder().join(file)).unwrap()
}

/// Builds the guests where this test was built, once, and returns their folder.
pub fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let program = std::env::current_exe().unwrap();
        let target = program.ancestors().nth(3).unwrap();
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--lib", "--examples"])
            .args(["--package", "database-values", "--package", "enters-database"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
            .env("CARGO_TARGET_DIR", target)
            .status()
            .unwrap();
        assert!(status.success());
        target.join("wasm32-wasip2/release")
    })
}

/// A store for one component.
pub fn store(fixture: &Fixture) -> Store<Data> {
    let postgres = PostgresContext::new(fixture.pools.clone());
    let data = Data { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), postgres };
    Store::new(linker().engine(), data)
}

/// Lets a guest do what `name` says, several times at once in one store.
pub async fn run(
    store: &mut Store<Data>,
    guest: &Component,
    fixture: &Fixture,
    (name, times): (&str, usize),
) -> Vec<Result<String, String>> {
    let instance = linker().instantiate_async(&mut *store, guest).await.unwrap();
    let run = instance.get_typed_func::<(String, String), (Result<String, String>,)>(&mut *store, "run").unwrap();
    let parameters = || (name.to_owned(), fixture.address.clone());
    store
        .run_concurrent(async |accessor| {
            let calls = (0..times).map(|_| run.call_concurrent(accessor, parameters()));
            let answers = futures::future::join_all(calls).await;
            answers.into_iter().map(|answer| answer.unwrap().0).collect()
        })
        .await
        .unwrap()
}

async fn run_once(fixture: &Fixture, name: &str) -> String {
    run(&mut store(fixture), guest(), fixture, (name, 1)).await.remove(0).unwrap()
}

#[tokio::test]
async fn a_guest_writes_and_reads() {
    let fixture = Fixture::new().await;
    assert_eq!(run_once(&fixture, "writes-and-reads").await, "1 Some(1) Some(\"hello\") None true");
}

#[tokio::test]
async fn a_guest_reads_a_hundred_thousand_rows() {
    let fixture = Fixture::new().await;
    assert_eq!(run_once(&fixture, "reads-many").await, "100000 5000050000");
}

#[tokio::test]
async fn waiting_for_the_database_holds_up_no_other_task_of_the_store() {
    let fixture = Fixture::new().await;
    let start = Instant::now();
    let answers = run(&mut store(&fixture), guest(), &fixture, ("sleeps-twice", 4)).await;
    assert_eq!(answers, vec![Ok("1 1".to_owned()); 4]);
    // One after the other they would take four seconds.
    assert!(start.elapsed() < Duration::from_millis(3500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_transaction_ends_with_the_guests_store() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let mut store = store(&fixture);
    run(&mut store, guest(), &fixture, ("leaves-a-transaction", 1)).await.remove(0).unwrap();
    drop(store);
    assert_eq!(fixture.value("SELECT to_regclass('left_behind')::text").await, DbValue::DbNull);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()";
    until("the transaction is over", || async { fixture.value(idle).await == DbValue::Int64(0) }).await;
}
