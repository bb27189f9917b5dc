//! The embedded database server ends while the host runs.

use std::{net::TcpListener, path::PathBuf, time::Duration};

use plaza_tests::{
    Setup, Shop,
    databases::Databases,
    shop::{Customer, fresh_key, id_of, order_body},
    state::{is_running, signal},
    until,
};

/// How long the host tries to start a server that cannot be started, and some more.
const GIVING_UP: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_database_that_was_killed_is_started_again_and_everything_works() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    let customer = shop.customer().await;
    let before = id_of(&customer.order(&[(product, 1)]).await);
    let server = postmaster(shop.host.setup());
    signal("-KILL", server);
    shop.host.stderr().line_with("PostgreSQL ended unexpectedly");
    shop.host.stderr().line_with("PostgreSQL serves again");
    assert_ne!(postmaster(shop.host.setup()), server);
    assert_eq!(customer.read_order(before).await["id"], before, "what was committed is there");
    let order = order_at_last(&customer, product).await;
    customer.pay(order).await;
    assert_eq!(customer.order_becomes(before, "pending").await["id"], before);
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr.matches("PostgreSQL ended unexpectedly").count(), 1, "one line for one event");
}

#[tokio::test]
async fn while_the_database_is_away_answers_are_503_and_say_when_to_come_again() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    let customer = shop.customer().await;
    let configuration = Configuration::spoil(shop.host.setup());
    signal("-KILL", postmaster(shop.host.setup()));
    shop.host.stderr().line_with("PostgreSQL is not back yet; trying on");
    let reading = shop.anyone().get(&format!("/api/v1/products/{product}")).await;
    let ordering = customer.try_order(&[(product, 1)]).await;
    for answer in [reading, ordering] {
        assert!(!answer.header("retry-after").is_empty(), "{} {}", answer.status, answer.text());
        answer.problem(503);
    }
    configuration.mend();
    shop.host.stderr().line_with("PostgreSQL serves again");
    let order = order_at_last(&customer, product).await;
    customer.pay(order).await;
    let log = shop.host.stop().stderr;
    for event in ["PostgreSQL ended unexpectedly", "PostgreSQL is not back yet", "PostgreSQL serves again"] {
        assert_eq!(log.matches(event).count(), 1, "one line for one event: {event}");
    }
    assert!(log.contains("heavy"), "the reason is told in the server's words");
}

#[tokio::test]
async fn a_backend_that_was_killed_costs_connections_and_nothing_else() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    let customer = shop.customer().await;
    let server = postmaster(shop.host.setup());
    signal("-KILL", backend(&shop, "products_database").await);
    order_at_last(&customer, product).await;
    assert_eq!(postmaster(shop.host.setup()), server);
    let ended = shop.host.stop();
    assert!(!ended.stderr.contains("ended unexpectedly"), "the server itself lived on: {}", ended.stderr);
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "nothing tells there whose processes they are")]
async fn processes_that_a_killed_database_leaves_are_waited_for_and_then_ended() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    // One that is halted does not notice that its server is gone, and holds the shared memory.
    let halted = backend(&shop, "products_database").await;
    signal("-STOP", halted);
    signal("-KILL", postmaster(shop.host.setup()));
    shop.host.stderr().line_with("PostgreSQL serves again");
    assert!(!shop.host.setup().state().server_processes().contains(&halted));
    shop.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200);
    shop.host.stop();
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "nothing tells there whose processes they are")]
async fn a_port_that_another_program_took_meanwhile_is_named_and_waited_for() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    let port = Databases::of(&shop.host).port();
    // Its server's end is noticed, but no other can start yet.
    signal("-STOP", backend(&shop, "products_database").await);
    signal("-KILL", postmaster(shop.host.setup()));
    let squatter = until("the port is free", async || TcpListener::bind(("127.0.0.1", port)).ok()).await;
    let line = shop.host.stderr().line_with("PostgreSQL is not back yet; trying on");
    assert!(line.contains(&format!("another program has taken its port 127.0.0.1:{port}")), "{line}");
    drop(squatter);
    shop.host.stderr().line_with("PostgreSQL serves again");
    shop.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200);
    shop.host.stop();
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "nothing tells there whose processes they are")]
async fn a_stop_while_the_database_is_being_started_again_leaves_none_of_its_processes() {
    let shop = Shop::start();
    let product = shop.product("19.99", 10).await;
    shop.anyone().get(&format!("/api/v1/products/{product}")).await.expect(200);
    let halted = backend(&shop, "products_database").await;
    signal("-STOP", halted);
    signal("-KILL", postmaster(shop.host.setup()));
    shop.host.stderr().line_with("PostgreSQL ended unexpectedly");
    assert!(is_running(halted), "the start is still to come");
    shop.host.terminate();
    let ended = shop.host.wait();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(!ended.stderr.contains("PostgreSQL serves again"), "{}", ended.stderr);
    assert_eq!(ended.setup.state().server_processes(), Vec::<u32>::new());
}

#[tokio::test]
async fn a_database_that_cannot_be_started_again_ends_the_host_with_what_to_do() {
    let host = Setup::of("tests/apps/databases/spin.toml").start();
    let _configuration = Configuration::spoil(host.setup());
    signal("-KILL", postmaster(host.setup()));
    let given_up = host.stderr().find(
        GIVING_UP,
        || false,
        |lines| lines.iter().find(|line| line.contains("PostgreSQL cannot be started again")).cloned(),
    );
    assert!(given_up.is_some(), "it is never given up: {}", host.all_output());
    let ended = host.wait();
    assert_eq!(ended.code, Some(1), "whatever supervises the host must see it: {}", ended.stderr);
    for expected in ["could not be started again", "heavy", "postgres.log", "start plaza again"] {
        assert!(ended.stderr.contains(expected), "{expected}: {}", ended.stderr);
    }
}

/// Orders as a client should: under one key, again for as long as the answer is to come again. A write on a connection that the
/// server has dropped meanwhile is answered so, because nobody knows how far it came; reads are repeated by the host.
async fn order_at_last(customer: &Customer, product: i64) -> i64 {
    let (body, key) = (order_body(&[(product, 1)]), fresh_key());
    until("an order goes through", async || {
        let answer = customer.client.post("/api/v1/orders", &body).key(&key).await;
        if answer.status == 201 {
            return Some(id_of(&answer.json()));
        }
        // 409: the attempt before still has the key's lease.
        let says_again = answer.status == 409 || (answer.status == 503 && !answer.header("retry-after").is_empty());
        assert!(says_again, "{} {}", answer.status, answer.text());
        None
    })
    .await
}

/// A configuration with which no server starts, until it is mended.
struct Configuration {
    file: PathBuf,
    sound: String,
}

impl Configuration {
    fn spoil(setup: &Setup) -> Self {
        let file = setup.state().data().join("postgresql.conf");
        let sound = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{sound}\nwork_mem = 'heavy'\n")).unwrap();
        Self { file, sound }
    }

    fn mend(self) {
        std::fs::write(&self.file, &self.sound).unwrap();
    }
}

fn postmaster(setup: &Setup) -> u32 {
    setup.state().postmaster().expect("the embedded server runs")
}

/// A process that serves one of the host's connections to a database.
async fn backend(shop: &Shop, database: &str) -> u32 {
    let databases = Databases::of(&shop.host);
    let query = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend' LIMIT 1"
    );
    let found = databases.rows::<(i32,)>("postgres", &query).await;
    u32::try_from(found.first().expect("the component has a connection").0).unwrap()
}
