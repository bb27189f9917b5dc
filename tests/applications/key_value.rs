//! Key-value stores.

use std::sync::LazyLock;

use futures::future::join_all;
use plaza_tests::{
    Client, Host, Setup,
    databases::Databases,
    hold::Hold,
    redis_server::{PASSWORD, RedisServer},
};
use tempfile::TempDir;

const APPLICATION: &str = "tests/spin-apps/key-value/spin.toml";

/// The store `sessions` in a file of its own.
const SESSIONS: &str = "key_value_store.sessions = { type = \"spin\", path = \"sessions.db\" }\n";

/// A folder with this runtime config, and the application that is started with it.
fn described_by(config: &str) -> (TempDir, Setup) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runtime-config.toml");
    std::fs::write(&file, config).unwrap();
    let setup = Setup::of(APPLICATION).argument("--runtime-config-file").argument(file.to_str().unwrap());
    (folder, setup)
}

/// A host that these tests share, each with keys or counters of its own.
fn client() -> Client {
    static HOST: LazyLock<(TempDir, Host)> = LazyLock::new(|| {
        let (folder, setup) = described_by(SESSIONS);
        (folder, setup.start())
    });
    HOST.1.client()
}

async fn ask(client: &Client, path: &str) -> String {
    client.get(path).await.expect(200).text()
}

/// Counts so often at once, and sees each number once.
async fn count(client: &Client, times: u32) {
    let counted = join_all((0..times).map(|_| ask(client, "/draft/count?key=counter"))).await;
    let mut counted: Vec<u32> = counted.iter().map(|text| text.parse().unwrap()).collect();
    counted.sort_unstable();
    assert_eq!(counted, (1..=times).collect::<Vec<_>>());
}

/// What the draft says of several keys, one of them asked for twice, and of two who swap one value.
async fn batch_and_swap(client: &Client) {
    assert_eq!(ask(client, "/draft/many").await, "second=2 first=none second=2");
    assert_eq!(ask(client, "/draft/swap").await, "before true quick true slow");
}

/// What a store does wherever its values are. `looked_at` is told which value was written as `shared`.
async fn does_what_a_store_does(client: &Client, looked_at: impl Fn(&str)) {
    for writer in ["keeper", "old", "draft"] {
        assert_eq!(ask(client, &format!("/{writer}/set?key=shared&value={writer}")).await, "set");
        looked_at(writer);
        for reader in ["keeper", "old", "draft"] {
            assert_eq!(ask(client, &format!("/{reader}/get?key=shared")).await, writer, "{reader}");
        }
    }
    assert_eq!(ask(client, "/keeper/delete?key=shared").await, "deleted");
    assert_eq!(ask(client, "/old/exists?key=shared").await, "false");
    batch_and_swap(client).await;
    count(client, 100).await;
    assert_eq!(ask(client, "/keeper/large?bytes=16777216").await, "set");
    assert_eq!(ask(client, "/keeper/get?store=sessions&key=counter").await, "none", "another store, another content");
}

/// More keys than a page has, through each interface.
async fn keys_come_in_their_order_and_each_once(client: &Client) {
    assert_eq!(ask(client, "/keeper/fill?count=2500").await, "filled");
    let expected: Vec<String> = (0..2500).map(|number| format!("key-{number:05}")).collect();
    assert_eq!(ask(client, "/keeper/keys").await, expected.join(" "));
    assert_eq!(ask(client, "/old/keys").await, expected.join(" "));
    assert_eq!(ask(client, "/draft/keys").await, "2500");
}

#[tokio::test]
async fn what_one_interface_wrote_the_others_read() {
    let client = client();
    for (number, writer) in ["keeper", "old", "draft"].into_iter().enumerate() {
        assert_eq!(ask(&client, &format!("/{writer}/set?key=shared&value={number}")).await, "set");
        for reader in ["keeper", "old", "draft"] {
            let found = ask(&client, &format!("/{reader}/get?key=shared")).await;
            assert_eq!(found, number.to_string(), "{writer} wrote, {reader} read");
        }
    }
    for deleter in ["keeper", "old"] {
        assert_eq!(ask(&client, "/draft/set?key=shared&value=x").await, "set");
        assert_eq!(ask(&client, &format!("/{deleter}/exists?key=shared")).await, "true");
        assert_eq!(ask(&client, &format!("/{deleter}/delete?key=shared")).await, "deleted");
        assert_eq!(ask(&client, &format!("/{deleter}/exists?key=shared")).await, "false");
        assert_eq!(ask(&client, &format!("/{deleter}/get?key=shared")).await, "none");
    }
}

#[tokio::test]
async fn a_component_without_the_grant_sees_nothing() {
    let client = client();
    ask(&client, "/keeper/set?key=secret&value=1").await;
    for path in ["/stranger/get?key=secret", "/old-stranger/get?key=secret", "/old/get?store=sessions&key=secret"] {
        assert_eq!(ask(&client, path).await, "error Error::AccessDenied", "{path}");
    }
    assert_eq!(ask(&client, "/draft/get?store=sessions").await, "error Error::AccessDenied");
    assert_eq!(ask(&client, "/keeper/get?store=nobody_has_it").await, "error Error::AccessDenied");
    assert_eq!(ask(&client, "/keeper/get?store=sessions&key=secret").await, "none", "another store, another content");
}

#[tokio::test]
async fn data_survives_a_restart_and_a_crash() {
    let (folder, setup) = described_by(SESSIONS);
    let host = setup.start();
    assert_eq!(ask(&host.client(), "/keeper/set?key=a&value=kept").await, "set");
    assert_eq!(ask(&host.client(), "/keeper/set?store=sessions&key=a&value=kept+too").await, "set");
    assert!(folder.path().join("sessions.db").exists(), "the path starts from the config's folder");
    let host = host.stop().setup.start();
    assert_eq!(ask(&host.client(), "/old/get?key=a").await, "kept");
    assert_eq!(ask(&host.client(), "/keeper/get?store=sessions&key=a").await, "kept too");
    assert_eq!(ask(&host.client(), "/keeper/set?key=b&value=just+now").await, "set");
    let host = host.kill().start();
    assert_eq!(ask(&host.client(), "/keeper/get?key=b").await, "just now");
}

#[tokio::test]
async fn many_keys_come_as_a_stream_as_pages_and_as_a_list() {
    let (_folder, setup) = described_by(SESSIONS);
    let host = setup.start();
    let client = host.client();
    keys_come_in_their_order_and_each_once(&client).await;
    assert_eq!(ask(&client, "/keeper/keys?store=sessions").await, "");
}

#[tokio::test]
async fn counting_is_exact_however_many_count() {
    count(&client(), 300).await;
}

#[tokio::test]
async fn batches_and_swaps_do_what_the_draft_says() {
    batch_and_swap(&client()).await;
}

#[tokio::test]
async fn what_is_too_large_or_too_much_is_an_error_that_the_component_gets() {
    let client = client();
    assert_eq!(ask(&client, "/keeper/large?bytes=16777216").await, "set");
    assert!(ask(&client, "/keeper/large?bytes=16777217").await.contains("a value has at most 16777216 bytes"));
    let key = "k".repeat(4097);
    assert!(ask(&client, &format!("/old/set?key={key}")).await.contains("a key has at most 4096 bytes"));
    assert_eq!(ask(&client, "/keeper/open?count=255").await, "255 open");
    assert_eq!(ask(&client, "/keeper/open?count=300").await, "error Error::StoreTableFull");
    assert_eq!(ask(&client, "/keeper/open?count=255").await, "255 open", "closed ones make room");
}

/// The application whose store `default` is on this server.
fn on(server: &RedisServer) -> (TempDir, Setup) {
    let url = server.address();
    described_by(&format!("key_value_store.default = {{ type = \"redis\", url = \"{url}\" }}\n{SESSIONS}"))
}

#[tokio::test]
async fn a_store_on_redis_does_what_one_in_a_file_does() {
    let server = RedisServer::start();
    let (_folder, setup) = on(&server);
    let host = setup.start();
    let as_spin_keeps_it = |value: &str| assert_eq!(server.ask::<String>(&["GET", "shared"]), value);
    does_what_a_store_does(&host.client(), as_spin_keeps_it).await;
    assert!(!host.all_output().contains(PASSWORD));
}

#[tokio::test]
async fn the_keys_of_a_store_on_redis_come_in_their_order_and_each_once() {
    let server = RedisServer::start();
    let (_folder, setup) = on(&server);
    keys_come_in_their_order_and_each_once(&setup.start().client()).await;
}

#[tokio::test]
async fn a_store_is_served_again_when_its_redis_is_back_and_fails_in_between() {
    let mut server = RedisServer::start();
    let (_folder, setup) = on(&server);
    let host = setup.start();
    assert_eq!(ask(&host.client(), "/keeper/set?key=a&value=1").await, "set");
    server.kill();
    assert!(ask(&host.client(), "/keeper/get?key=a").await.contains("the store failed"));
    server.start_again();
    assert_eq!(ask(&host.client(), "/keeper/get?key=a").await, "none", "that server keeps nothing");
    assert_eq!(ask(&host.client(), "/keeper/set?key=a&value=2").await, "set");
    assert!(!host.all_output().contains(PASSWORD));
}

/// The application whose store `default` is in the host's own database.
fn in_postgres() -> (TempDir, Setup) {
    described_by(&format!("key_value_store.default = {{ type = \"postgres\" }}\n{SESSIONS}"))
}

#[tokio::test]
async fn a_store_in_postgres_does_what_one_in_a_file_does() {
    let (_folder, setup) = in_postgres();
    does_what_a_store_does(&setup.start().client(), |_| {}).await;
}

#[tokio::test]
async fn the_keys_of_a_store_in_postgres_come_in_their_order_and_each_once() {
    let (_folder, setup) = in_postgres();
    keys_come_in_their_order_and_each_once(&setup.start().client()).await;
}

#[tokio::test]
async fn a_key_that_somebody_holds_in_postgres_is_waited_for_within_bounds() {
    let (_folder, setup) = in_postgres();
    let host = setup.start();
    let client = host.client();
    assert_eq!(ask(&client, "/keeper/set?key=held&value=1").await, "set");
    let held = "SELECT FROM key_values WHERE key = 'held' FOR UPDATE";
    let hold = Hold::by(&Databases::of(&host), "plaza", held).await;
    assert!(ask(&client, "/keeper/set?key=held&value=2").await.contains("the store failed"));
    assert_eq!(ask(&client, "/keeper/get?key=held").await, "1");
    assert_eq!(ask(&client, "/keeper/set?key=free&value=2").await, "set");
    hold.let_go().await;
    assert_eq!(ask(&client, "/keeper/set?key=held&value=3").await, "set");
    assert_eq!(ask(&client, "/keeper/get?key=held").await, "3");
}

#[tokio::test]
async fn hosts_on_one_database_server_share_a_store_in_postgres() {
    let ((_one, first), (_other, second)) = (in_postgres(), in_postgres());
    let one = first.start();
    let other = second.argument("--database-url").argument(&one.setup().state().database_owner_url()).start();
    assert_eq!(ask(&one.client(), "/keeper/set?key=a&value=1").await, "set");
    assert_eq!(ask(&other.client(), "/keeper/get?key=a").await, "1");
    let counting = (0..40).map(|number| {
        let client = if number % 2 == 0 { one.client() } else { other.client() };
        async move { ask(&client, "/draft/count?key=counter").await.parse::<u32>().unwrap() }
    });
    let mut counted = join_all(counting).await;
    counted.sort_unstable();
    assert_eq!(counted, (1..=40).collect::<Vec<_>>());
    drop(other);
}

#[test]
fn a_store_that_nothing_describes_keeps_the_application_from_starting() {
    let ended = Setup::of(APPLICATION).refused();
    assert_eq!(ended.code, Some(1));
    for part in ["spin.toml:", "`keeper` is granted `sessions`", "[key_value_store.sessions]", "--runtime-config-file"]
    {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}
