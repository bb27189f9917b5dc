//! The shop's manifest, read again: databases, migrations, events, and several hosts.

use std::fs;

use plaza_tests::{Setup, Shop, artifact::built, manifest::Manifest, shop::id_of, until, workspace};
use tempfile::TempDir;

/// A component more than the shop has, with a database of its own.
struct Extra {
    migrations: TempDir,
}

impl Extra {
    fn new(migration: &str) -> Self {
        let extra = Self { migrations: tempfile::tempdir().unwrap() };
        extra.migration(migration);
        extra
    }

    fn migration(&self, sql: &str) {
        fs::write(self.migrations.path().join("0001_first.sql"), sql).unwrap();
    }

    /// The shop's manifest with it.
    fn manifest(&self) -> String {
        let shop = fs::read_to_string(workspace().join("spin.toml")).unwrap();
        let shop = shop.replacen("[variables]\n", "[variables]\nextra_host = { required = true }\n", 1);
        let folder = self.migrations.path().display();
        format!(
            r#"{shop}
[[trigger.http]]
route = "/extra/..."
component = "extra"
[component.extra]
source = "target/wasm32-wasip2/release/hello.wasm"
allowed_outbound_hosts = ["postgres://{{{{ extra_host }}}}"]
[component.extra.tool.plaza]
database = "extra"
migrations = "{folder}"
"#
        )
    }
}

#[tokio::test]
async fn a_subscription_and_a_database_are_added_to_a_running_shop_and_a_bad_migration_is_refused() {
    let manifest = Manifest::of_the_shop_with("subscribe = [\"payment-events\"]", "");
    let shop = Shop::on(Setup::of(manifest.path()).start());
    let customer = shop.customer().await;
    let product = shop.product("19.99", 10).await;

    // `orders` does not hear of payments yet; a shop whose extra component's migration fails is not served either.
    let extra = Extra::new("SELECT no_such_function();");
    fs::write(manifest.path(), extra.manifest()).unwrap();
    let refused = shop.host.operate(&["apply", "--yes"]).await;
    refused.refused(&["refused at migrate", "0001_first.sql", "no_such_function"]);
    shop.host.client().get("/extra/hello").await.expect(404);

    extra.migration("CREATE TABLE kept (id bigint);");
    let done = shop.host.operate(&["apply", "--yes"]).await.expect();
    for line in
        ["+ component `extra`", "~ component `orders`: subscribe: none → [payment-events]", "1 migration applied"]
    {
        assert!(done.text.contains(line), "no {line:?} in: {}", done.text);
    }
    assert_eq!(shop.host.client().get("/extra/hello").await.expect(200).text(), "hello");
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosts_of_one_server_that_apply_at_once_serve_the_same_and_customers_go_on() {
    let line = "subscribe = [\"payment-events\"]";
    let manifests = [(); 2].map(|()| Manifest::of_the_shop_with(line, line));
    let shop = Shop::on(Setup::of(manifests[0].path()).start());
    let url = shop.host.setup().state().database_owner_url();
    let other = Setup::of(manifests[1].path()).argument("--database-url").argument(&url);
    let other = tokio::task::block_in_place(|| other.start());
    let (product, customer) = (shop.product("19.99", 10).await, shop.customer().await);

    let extra = Extra::new("CREATE TABLE kept (id bigint);");
    manifests.iter().for_each(|manifest| fs::write(manifest.path(), extra.manifest()).unwrap());
    let (here, there) = tokio::join!(shop.host.operate(&["apply", "--yes"]), other.operate(&["apply", "--yes"]));
    let done = [here.expect().text, there.expect().text];
    let migrated = done.iter().filter(|text| text.contains("1 migration applied")).count();
    assert_eq!(migrated, 1, "whoever came first: {done:?}");
    for host in [&shop.host, &other] {
        assert_eq!(host.client().get("/extra/hello").await.expect(200).text(), "hello");
        assert_eq!(host.version_of("extra").await, "v1");
    }
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;

    // What one deploys of it, the other follows.
    other.deploy("extra", &built("newer"), &[]).await.expect();
    until("the first host follows", async || (shop.host.version_of("extra").await == "v2").then_some(())).await;
    other.stop();
}
