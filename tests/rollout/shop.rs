//! The shop's services replaced while customers order and pay.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join_all;
use plaza_tests::{
    Shop,
    artifact::{built, stamped},
    databases::Databases,
    invariants,
    shop::{Customer, id_of},
};

const CUSTOMERS: usize = 4;

/// What the shop is made of.
const SERVICES: [&str; 8] =
    ["users", "products", "orders", "payments", "notifications", "payment-sandbox", "passwords", "site"];

/// Orders and pays until told to stop; every answer is good. Returns how many orders were paid.
pub async fn keep_buying(customer: &Customer, product: i64, stop: &AtomicBool) -> usize {
    let mut paid = 0;
    while !stop.load(Ordering::Relaxed) {
        let order = id_of(&customer.order(&[(product, 1)]).await);
        customer.pay(order).await;
        paid += 1;
    }
    paid
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_order_is_lost_while_every_service_is_replaced_and_the_books_are_right() {
    let shop = Shop::start();
    let product = shop.product("19.99", 1_000_000).await;
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let stop = AtomicBool::new(false);
    let buying = join_all(customers.iter().map(|customer| keep_buying(customer, product, &stop)));
    let replacing = async {
        for round in 0..2 {
            for service in SERVICES {
                let done = shop.host.deploy(service, &stamped(service, &round.to_string()), &[]).await.expect();
                assert!(done.text.contains("nothing was cut off"), "{service}: {}", done.text);
            }
        }
        stop.store(true, Ordering::Relaxed);
    };
    let (paid, ()) = tokio::join!(buying, replacing);
    let paid: usize = paid.into_iter().sum();
    println!("{paid} orders paid over {} swaps", 2 * SERVICES.len());
    assert!(paid > 20, "{paid}");
    let databases = Databases::of(&shop.host);
    invariants::check(&databases).await;
    let kept = "SELECT count(*) FROM orders WHERE status = 'paid'";
    assert_eq!(databases.number("orders_database", kept).await, i64::try_from(paid).unwrap());
    for service in ["users", "products", "orders", "payments", "notifications"] {
        let status = shop.host.status_of(service).await;
        assert_eq!((&status["version"], &status["failed"]), (&"v3".into(), &0.into()), "{status}");
    }
}

#[tokio::test]
async fn without_a_file_the_manifests_own_is_deployed_with_its_migrations() {
    let shop = Shop::start();
    let done = shop.host.operate(&["deploy", "users"]).await.expect();
    assert!(done.text.contains("nothing new") && done.text.contains("users: v2 answers"), "{}", done.text);
    let site = shop.host.operate(&["deploy", "site", "--probe", "/health/ready"]).await.expect();
    assert!(site.text.contains("site: v2 answers"), "{}", site.text);
}

#[tokio::test]
async fn a_deploy_brings_its_migrations_and_a_migration_that_fails_changes_nothing() {
    let shop = Shop::start();
    let products = Databases::of(&shop.host);
    let folder = tempfile::tempdir().unwrap();
    let own = plaza_tests::workspace().join("components/products/migrations");
    let mut next = 1;
    for entry in std::fs::read_dir(own).unwrap().flatten() {
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        next += 1;
    }
    let migration = folder.path().join(format!("{next:04}_notes.sql"));
    let deploy = async || {
        shop.host.deploy("products", &built("products"), &["--migrations", folder.path().to_str().unwrap()]).await
    };

    std::fs::write(
        &migration,
        "ALTER TABLE products ADD COLUMN note text;\nALTER TABLE nothing ADD COLUMN note text;\n",
    )
    .unwrap();
    deploy().await.refused(&["at migrate", &format!("{next:04}_notes.sql"), "\"nothing\" does not exist"]);
    let columns =
        "SELECT count(*) FROM information_schema.columns WHERE (table_name, column_name) = ('products', 'note')";
    assert_eq!(products.number("products_database", columns).await, 0);
    assert_eq!(shop.host.version_of("products").await, "v1");

    std::fs::write(&migration, "ALTER TABLE products ADD COLUMN note text;\n").unwrap();
    let done = deploy().await.expect();
    assert!(done.text.contains("notes.sql"), "{}", done.text);
    assert_eq!(products.number("products_database", columns).await, 1);
    // The former statements, which the connections have prepared, are still good for the new schema.
    let product = shop.product("1.00", 5).await;
    assert_eq!(shop.stock(product).await, 5);
    shop.host.operate(&["rollback", "products"]).await.expect();
    assert_eq!(shop.stock(product).await, 5);
}
