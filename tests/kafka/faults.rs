//! Broker and host are killed, and hosts share the work: every event has its effect, once.

use futures::future::join_all;
use plaza_tests::{
    Client, Host, Setup, Shop,
    broker::Broker,
    databases::Databases,
    invariants::{Ledger, SETTLING, check_with},
    kafka,
    letters::{Letters, TOPIC},
    patient::Patient,
    shop::{Customer, fresh_key, id_of, order_body},
    told, until, until_within,
};
use serde_json::json;

use crate::{killable, metric, number, on};

const CUSTOMERS: usize = 4;
const ORDERS_EACH: usize = 10;

/// Of the shop: products, payments and notifications hear of orders, and orders of payments.
const SUBSCRIPTIONS: usize = 4;
/// Of each topic.
const PARTITIONS: usize = 8;

/// What a customer may be told while a host is down or coming up.
const WHILE_A_HOST_IS_KILLED: &[u16] = &[409, 500, 503, 504];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_away_orders_are_accepted_and_afterwards_all_become_paid() {
    let Some(mut broker) = killable("while_the_broker_is_away_orders_are_accepted_and_afterwards_all_become_paid")
    else {
        return;
    };
    let shop = Shop::on(on(&broker.address()).start());
    let (product, customer) = (shop.product("3.00", 1_000).await, shop.customer().await);
    let mut orders = vec![id_of(&customer.order(&[(product, 1)]).await)];
    customer.pay(orders[0]).await;

    tokio::task::block_in_place(|| broker.kill());
    for _ in 0..60 {
        orders.push(id_of(&customer.order(&[(product, 1)]).await));
    }
    until("the host says that the bus is away", async || {
        (shop.host.status().await["events"] == "degraded").then_some(())
    })
    .await;
    let readiness = async || {
        let answer = shop.anyone().get("/health/ready").await;
        // A part that is late for once on a busy machine is no part of this.
        if answer.status == 200 { answer.json() } else { serde_json::Value::Null }
    };
    until("the shop says that it is degraded, and goes on", async || {
        let told = readiness().await;
        (told["status"] == "degraded" && told["checks"]["events"] == "late").then_some(())
    })
    .await;
    let unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND type = 'ORDER_CREATED'";
    assert_eq!(Databases::of(&shop.host).number("orders_database", unpublished).await, 60);

    tokio::task::block_in_place(|| broker.start_again());
    until("the host says that it is back", async || (shop.host.status().await["events"] == "ok").then_some(())).await;
    until("the shop is well", async || (readiness().await["status"] == "ok").then_some(())).await;
    join_all(orders[1..].iter().map(|order| customer.pay(*order))).await;
    let doubled = books_agree(&shop, &broker).await;
    assert_eq!(doubled, 0, "what was under way when the broker died stands there once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_host_has_in_hand_when_it_loses_the_outbox_stands_on_the_topic_once() {
    let Some(mut broker) = killable("what_a_host_has_in_hand_when_it_loses_the_outbox_stands_on_the_topic_once") else {
        return;
    };
    let brokers = broker.address();
    let setup = Letters::setup().argument("--kafka").argument(&brokers);
    let letters = tokio::task::block_in_place(|| Letters::on(setup));
    letters.publish("desk-1", 1..2).await;
    until("the topic is there", async || (letters.effects("lamps", "desk-1").await == [1]).then_some(())).await;
    tokio::task::block_in_place(|| broker.kill());
    letters.publish("desk-1", 2..12).await;
    // They are handed over within a tenth of a second.
    until("the host says that the bus is away", async || {
        (letters.host.status().await["events"] == "degraded").then_some(())
    })
    .await;
    for round in 1..4 {
        let hang_up =
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()";
        letters.databases.execute("plaza", hang_up).await;
        until("the host has lost the outbox", async || {
            let lost = "lost the lease on the outbox";
            let times = letters.host.all_output().lines().filter(|line| line.contains(lost)).count();
            (times >= round).then_some(())
        })
        .await;
        until("it has it again, and what waits in hand", async || {
            let waiting = metric(&letters.host, "plaza_outbox_waiting", "component=\"desks\"").await;
            (waiting == 10.0).then_some(())
        })
        .await;
    }
    tokio::task::block_in_place(|| broker.start_again());
    let all: Vec<i64> = (1..12).collect();
    until("all have come", async || (letters.effects("lamps", "desk-1").await == all).then_some(())).await;
    let on_topic: Vec<i64> = kafka::all_of(&brokers, TOPIC).await.iter().map(number).collect();
    assert_eq!(on_topic, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_starts_before_its_broker_goes_on_when_that_is_there() {
    let Some(mut broker) = killable("a_host_that_starts_before_its_broker_goes_on_when_that_is_there") else { return };
    tokio::task::block_in_place(|| broker.kill());
    let shop = Shop::on(on(&broker.address()).start());
    let (product, customer) = (shop.product("3.00", 10).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    until("the host says that the bus is away", async || {
        (shop.host.status().await["events"] == "degraded").then_some(())
    })
    .await;
    tokio::task::block_in_place(|| broker.start_again());
    customer.pay(order).await;
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_stops_in_order_while_its_broker_is_away() {
    let Some(mut broker) = killable("a_host_stops_in_order_while_its_broker_is_away") else { return };
    let shop = Shop::on(on(&broker.address()).start());
    let (product, customer) = (shop.product("3.00", 10).await, shop.customer().await);
    let order = id_of(&customer.order(&[(product, 1)]).await);
    customer.pay(order).await;
    tokio::task::block_in_place(|| broker.kill());
    customer.order(&[(product, 1)]).await;
    let ended = shop.host.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_killed_in_the_midst_leaves_one_effect_of_each_event() {
    let Some(broker) = killable("a_host_that_is_killed_in_the_midst_leaves_one_effect_of_each_event") else { return };
    let mut shop = Shop::on(on(&broker.address()).start());
    let product = shop.product("3.00", 1_000).await;
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let databases = Databases::of(&shop.host);
    let buying = join_all(customers.iter().map(|customer| order_and_pay(customer, &customer.client, product)));
    let killing = async {
        for orders in [CUSTOMERS, 3 * CUSTOMERS] {
            until_within(SETTLING, "enough has happened to be interrupted", async || {
                let paid = "SELECT count(*) FROM orders WHERE status = 'paid'";
                let count = databases.number("orders_database", paid).await;
                (count >= i64::try_from(orders).unwrap()).then_some(())
            })
            .await;
            shop = tokio::task::block_in_place(|| shop.killed_and_started_again());
        }
        shop
    };
    let (_, shop) = tokio::join!(buying, killing);
    books_agree(&shop, &broker).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hosts_share_outboxes_and_topics_and_one_goes_on_when_the_other_is_killed() {
    let Some(broker) = killable("two_hosts_share_outboxes_and_topics_and_one_goes_on_when_the_other_is_killed") else {
        return;
    };
    let shop = Shop::on(on(&broker.address()).start());
    let second = beside(&shop.host, &broker);
    until("both hosts have partitions", async || {
        let mut shares = Vec::new();
        for host in [&shop.host, &second] {
            shares.push(partitions_of(host).await);
        }
        (shares.iter().all(|share| *share >= 8) && shares.iter().sum::<usize>() == SUBSCRIPTIONS * PARTITIONS)
            .then_some(())
    })
    .await;
    let product = shop.product("3.00", 1_000).await;
    let customers = join_all((0..CUSTOMERS).map(|_| shop.customer())).await;
    let elsewhere: Vec<Client> = customers.iter().map(|customer| customer.client.at(second.base())).collect();
    // Each customer speaks to the first host; the second does half of the work behind it.
    join_all(customers.iter().map(|customer| order_and_pay(customer, &customer.client, product))).await;
    for host in [&shop.host, &second] {
        assert!(metric(host, "plaza_events_taken_total", "").await > 0.0, "both work");
    }
    let buying =
        join_all(customers.iter().zip(&elsewhere).map(|(customer, client)| order_and_pay(customer, client, product)));
    let killing = async {
        let databases = Databases::of(&shop.host);
        until("the second round has begun", async || {
            let count = databases.number("orders_database", "SELECT count(*) FROM orders").await;
            (count > i64::try_from(CUSTOMERS * (ORDERS_EACH + 2)).unwrap()).then_some(())
        })
        .await;
        // The second host's server is the first one's, so it is the second that dies, and its customers find it again.
        tokio::task::block_in_place(|| second.kill().start())
    };
    let (_, second) = tokio::join!(buying, killing);
    books_agree(&shop, &broker).await;
    second.stop();
}

/// Another host on the same server and brokers.
fn beside(first: &Host, broker: &Broker) -> Host {
    let url = first.setup().state().database_owner_url();
    let setup: Setup = on(&broker.address()).argument("--database-url").argument(&url);
    tokio::task::block_in_place(|| setup.start())
}

/// Partitions of all topics and groups that a host has.
async fn partitions_of(host: &Host) -> usize {
    let metrics = host.control().get("/metrics").await.expect(200).text();
    metrics.lines().filter(|line| line.starts_with("plaza_events_lag{")).count()
}

/// Orders and pays again and again, and asks anew under the same key whenever no answer comes.
async fn order_and_pay(customer: &Customer, client: &Client, product: i64) {
    let patient = &Patient { client, passing: WHILE_A_HOST_IS_KILLED };
    for _ in 0..ORDERS_EACH {
        let (body, key) = (order_body(&[(product, 1)]), fresh_key());
        let order = patient.persist(|client| client.post("/api/v1/orders", &body).key(&key), &[201]).await.json();
        let list = format!("/api/v1/payments?orderId={}", id_of(&order));
        let payment = until_within(
            SETTLING,
            &format!("order {} of {} has a payment", id_of(&order), customer.email),
            async || patient.persist(|client| client.get(&list), &[200]).await.json().get(0).map(id_of),
        )
        .await;
        let (path, key) = (format!("/api/v1/payments/{payment}/confirm"), fresh_key());
        let token = json!({"token": "tok_ok"});
        patient.persist(|client| client.post(&path, &token).key(&key), &[200, 202, 409]).await;
    }
}

/// Once everything has settled: the nine rules hold, every order is paid, and the topics tell what the outboxes do: everything,
/// nothing else, and each key in its order. Returns how many events stand there more than once, as after a host's death some may.
async fn books_agree(shop: &Shop, broker: &Broker) -> usize {
    let databases = Databases::of(&shop.host);
    let unpaid = "SELECT count(*) FROM orders WHERE status <> 'paid'";
    until_within(SETTLING, "every order is paid", async || {
        (databases.number("orders_database", unpaid).await == 0).then_some(())
    })
    .await;
    check_with(&databases, Some(&broker.address())).await;
    let mut ledger = Ledger::read(&databases).await.expect("the databases are there");
    told::compare(&mut ledger, &broker.address()).await.iter().map(|topic| topic.copies).sum()
}
