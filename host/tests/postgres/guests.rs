//! A real guest (`tests/guests/database-values`) through every version of the interface.

use super::{Fixture, until};
use plaza::capability::postgres::{self, DbValue, PostgresContext, PostgresView};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

struct Data {
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

/// The guest, compiled once.
fn guest() -> &'static (Component, Linker<Data>) {
    static GUEST: OnceLock<(Component, Linker<Data>)> = OnceLock::new();
    GUEST.get_or_init(|| {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_file(&engine, build()).unwrap();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi::p3::add_to_linker(&mut linker).unwrap();
        postgres::add_to_linker(&mut linker, view).unwrap();
        (component, linker)
    })
}

/// Builds the guest where this test was built, and returns its file.
fn build() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap();
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--package", "database-values"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap())
        .env("CARGO_TARGET_DIR", target)
        .status()
        .unwrap();
    assert!(status.success());
    target.join("wasm32-wasip2/release/database_values.wasm")
}

/// A store for one component.
fn store(fixture: &Fixture) -> Store<Data> {
    let postgres = PostgresContext::new(fixture.pools.clone());
    let data = Data { wasi: WasiCtx::builder().build(), table: ResourceTable::new(), postgres };
    Store::new(guest().0.engine(), data)
}

/// Lets the guest do what `name` says, several times at once in one store.
async fn run(store: &mut Store<Data>, fixture: &Fixture, name: &str, times: usize) -> Vec<Result<String, String>> {
    let (component, linker) = guest();
    let instance = linker.instantiate_async(&mut *store, component).await.unwrap();
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
    run(&mut store(fixture), fixture, name, 1).await.remove(0).unwrap()
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
    let answers = run(&mut store(&fixture), &fixture, "sleeps-twice", 2).await;
    assert_eq!(answers, [Ok("1 1".to_owned()), Ok("1 1".to_owned())]);
    assert!(start.elapsed() < Duration::from_millis(1900), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_transaction_ends_with_the_guests_store() {
    let fixture = Fixture::with(|settings| settings.max_connections = 1).await;
    let mut store = store(&fixture);
    run(&mut store, &fixture, "leaves-a-transaction", 1).await.remove(0).unwrap();
    drop(store);
    assert_eq!(fixture.value("SELECT to_regclass('left_behind')::text").await, DbValue::DbNull);
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()";
    until("the transaction is over", || async { fixture.value(idle).await == DbValue::Int64(0) }).await;
}

#[tokio::test]
async fn older_guests_get_the_interface_they_know() {
    let fixture = Fixture::new().await;
    assert_eq!(
        run_once(&fixture, "speaks-2.0.0").await,
        "[[DbValue::Int64(7), DbValue::Str(\"a\"), DbValue::DbNull, DbValue::Unsupported]] 1"
    );
    assert_eq!(
        run_once(&fixture, "speaks-3.0.0").await,
        "[[DbValue::Date((2024, 2, 29)), DbValue::Datetime((1970, 1, 1, 0, 0, 0, 0)), DbValue::Unsupported]] \
         Error::QueryFailed(\"ERROR: division by zero (SQLSTATE 22012)\")"
    );
    assert_eq!(
        run_once(&fixture, "speaks-4.0.0").await,
        "[[DbValue::Decimal(\"1.50\"), DbValue::RangeInt32((Some((1, RangeBoundKind::Inclusive)), \
         Some((5, RangeBoundKind::Exclusive))))]] true"
    );
}
