//! What `plaza up` makes of its settings for Kafka.

use plaza_tests::{
    Setup, Shop,
    broker::{self, Broker},
    guard::{PASSWORD, USER},
    shop::id_of,
    until,
};

fn refused(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let setup = arguments.iter().fold(Setup::platform(), |setup, argument| setup.argument(argument));
    let setup = environment.iter().fold(setup, |setup, (name, value)| setup.environment(name, value));
    let ended = setup.refused();
    assert_ne!(ended.code, Some(0), "{}", ended.stdout);
    ended.stderr
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_to_do() {
    let brokers = ["--kafka", "127.0.0.1:1"];
    let told = refused(&[&brokers[..], &["--kafka-user", "plaza"]].concat(), &[]);
    assert!(told.contains("PLAZA_KAFKA_PASSWORD"), "{told}");
    let plain = [&brokers[..], &["--kafka-user", "plaza", "--kafka-mechanism", "PLAIN"]].concat();
    let told = refused(&plain, &[("PLAZA_KAFKA_PASSWORD", "a hidden word")]);
    assert!(told.contains("--kafka-tls") && !told.contains("a hidden word"), "{told}");
    let told = refused(&["--kafka-user", "plaza"], &[]);
    assert!(told.contains("--kafka"), "{told}");
    let told = refused(&[&brokers[..], &["--kafka-ca", "/nowhere/ca.pem"]].concat(), &[]);
    assert!(told.contains("--kafka-ca: cannot read /nowhere/ca.pem"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_speaks_tls_and_asks_for_a_password_is_shown_one_that_nobody_else_sees() {
    if broker::given().is_some() {
        eprintln!("a broker that asks for a password: not run, for those of KAFKA_BROKERS may not");
        return;
    }
    let broker = tokio::task::block_in_place(Broker::guarded);
    let (address, authority) = broker.guarded_address();
    let setup = crate::on(&address).argument("--kafka-user").argument(USER).argument("--kafka-ca");
    let setup =
        setup.argument(&authority.display().to_string()).environment("PLAZA_KAFKA_PASSWORD", "some-other-words");
    let shop = Shop::on(tokio::task::block_in_place(|| setup.start()));
    until("the host says that the bus is away", async || {
        (shop.host.status().await["events"] == "degraded").then_some(())
    })
    .await;
    shop.host.stderr().line_with("Kafka refuses");
    assert!(!shop.host.all_output().contains("some-other-words"));

    let shop = tokio::task::block_in_place(|| {
        shop.killed_and_served_by(|setup| setup.environment("PLAZA_KAFKA_PASSWORD", PASSWORD))
    });
    let (product, customer) = (shop.product("3.00", 10).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    assert!(!shop.host.all_output().contains(PASSWORD));
}
