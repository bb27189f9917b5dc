//! A full disk: what it stops, what it does not, and that nothing is lost by it.
//!
//! The disks are small file systems in memory, mounted by the tests, which is why they run as root only.

use plaza_tests::{
    Setup, Shop, databases::Databases, disk::SmallDisk, shop::id_of, state::StateFolder, until, wait::PATIENCE,
};
use serde_json::json;

use crate::is_root_on_linux;

const MIB: usize = 1024;

/// Room for a server and what these tests put into it.
const ROOMY: usize = 600 * MIB;

/// What every message about it says.
const REMEDY: &str = "the disk is full; free some space, nothing is lost";

#[test]
fn a_disk_too_small_for_a_database_is_told_and_half_of_one_is_removed() {
    if !is_root_on_linux() {
        return;
    }
    let setup = Setup::of("tests/apps/databases/spin.toml").in_state(StateFolder::on_small_disk(24 * MIB));
    let ended = setup.refused();
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains("initdb") && ended.stderr.contains(REMEDY), "{}", ended.stderr);
    let state = ended.setup.state();
    let left: Vec<_> = std::fs::read_dir(state.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("unfinished")), "{left:?}");
    state.disk().grow(ROOMY);
    ended.setup.start().stop();
}

#[tokio::test]
async fn a_full_disk_at_a_start_is_told_and_the_next_start_finds_everything() {
    if !is_root_on_linux() {
        return;
    }
    let shop = Shop::on(Setup::shop().in_state(StateFolder::on_small_disk(ROOMY)).start());
    let product = shop.product("19.99", 7).await;
    let setup = shop.host.stop().setup;
    setup.state().disk().fill();
    let ended = setup.refused();
    assert_ne!(ended.code, Some(0));
    assert!(ended.stderr.contains(REMEDY), "{}", ended.stderr);
    ended.setup.state().disk().free();
    let host = ended.setup.start();
    let read = host.client().get(&format!("/api/v1/products/{product}")).await.expect(200).json();
    assert_eq!(read["stock"], 7);
    host.stop();
}

#[tokio::test]
async fn writes_on_a_full_disk_get_503_and_go_through_once_there_is_room() {
    if !is_root_on_linux() {
        return;
    }
    let shop = Shop::on(Setup::shop().in_state(StateFolder::on_small_disk(ROOMY)).start());
    let disk = shop.host.setup().state().disk();
    let mut kept = vec![shop.product("19.99", 7).await];
    disk.fill();
    let admin = shop.admin().await;
    // What fits into pages that are there already is still taken.
    let refusal = until("a write finds no room", async || {
        let answer = admin.post("/api/v1/products", &product()).await;
        if answer.status != 201 {
            return Some(answer);
        }
        kept.push(id_of(&answer.json()));
        None
    })
    .await;
    assert!(!refusal.header("retry-after").is_empty(), "{}", refusal.text());
    refusal.problem(503);
    // Where there is room for a part of a page the system gives no error.
    let says_so = |line: &String| line.contains("No space left on device") || line.contains("wrote only");
    let told = shop.host.stderr().find(PATIENCE, || false, |lines| lines.iter().any(says_so).then_some(()));
    assert!(told.is_some(), "nobody is told what the write found");
    shop.anyone().get(&format!("/api/v1/products/{}", kept[0])).await.expect(200);

    disk.free();
    kept.push(id_of(&admin.post("/api/v1/products", &product()).await.expect(201).json()));
    let query = "SELECT count(*) FROM products";
    let rows = Databases::of(&shop.host).number("products_database", query).await;
    assert_eq!(usize::try_from(rows).unwrap(), kept.len(), "each answered once, kept once");
    let ended = shop.host.stop();
    assert!(!ended.stderr.contains("ended unexpectedly"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_database_that_a_full_disk_has_ended_is_started_once_there_is_room() {
    if !is_root_on_linux() {
        return;
    }
    let shop = Shop::on(Setup::shop().in_state(StateFolder::on_small_disk(ROOMY)).start());
    let product = shop.product("19.99", 7).await;
    let admin = shop.admin().await;
    shop.host.setup().state().disk().fill();
    // The write-ahead log needs a new file, and no server goes on without one.
    spend_the_log(&Databases::of(&shop.host)).await;
    shop.host.stderr().line_with("PostgreSQL ended unexpectedly");
    shop.host.stderr().line_with(REMEDY);
    let answer = admin.post("/api/v1/products", &self::product()).await;
    assert!(!answer.header("retry-after").is_empty(), "{}", answer.text());
    answer.problem(503);

    shop.host.setup().state().disk().free();
    shop.host.stderr().line_with("PostgreSQL serves again");
    let read = shop.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200).json();
    assert_eq!(read["stock"], 7);
    admin.post("/api/v1/products", &self::product()).await.expect(201);
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let lines = ended.stderr.matches("PostgreSQL is not back yet").count();
    assert!(lines <= 3, "a line for a reason, not for a try: {}", ended.stderr);
}

#[tokio::test]
async fn a_compile_cache_without_room_costs_a_warning_and_no_service() {
    if !is_root_on_linux() {
        return;
    }
    let state = StateFolder::new();
    let cache = state.path().join("cache");
    std::fs::create_dir(&cache).unwrap();
    let disk = SmallDisk::mount(&cache, 64);
    let host = Setup::platform().in_state(state).start();
    assert_eq!(host.client().get("/hello").await.expect(200).status, 200);
    host.stderr().line_with("what was compiled is not kept");
    let ended = host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 0, "nothing half written is left");
    drop(disk);
}

fn product() -> serde_json::Value {
    json!({
        "name": "Teapot", "description": "Holds one litre. ".repeat(50), "category": "kitchen",
        "price": 19.99, "currency": "EUR", "stock": 1,
    })
}

/// Writes until the server has no room for its log and ends.
async fn spend_the_log(databases: &Databases) {
    use sqlx::Connection;
    let mut connection = databases.connect("postgres").await;
    let statement = "SELECT pg_switch_wal(), pg_logical_emit_message(false, 'plaza-test', repeat('x', 1000))";
    until("the server has ended", async || {
        let _ = sqlx::query(statement).execute(&mut connection).await;
        connection.ping().await.is_err().then_some(())
    })
    .await;
}
