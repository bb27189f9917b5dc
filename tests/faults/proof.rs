//! What came of it, counted in the databases and on the topics.

use std::fmt::Write;

use plaza_tests::{
    Shop,
    databases::Databases,
    invariants::{Ledger, SETTLING, check_with},
    told, until_within,
};

use crate::{
    World,
    customer::CANCELLED_OF,
    fault::{FAULTS, Fallen},
};

/// Fails the test where anything is missing, doubled or out of order; otherwise tells the figures.
pub async fn of(world: &World, shop: &Shop, brokers: &str, fallen: &[Fallen]) -> String {
    let databases = Databases::of(&shop.host);
    until_within(SETTLING, "no order waits any more", async || {
        let waiting = "SELECT count(*) FROM orders WHERE status = 'pending'";
        (databases.number("orders_database", waiting).await == 0).then_some(())
    })
    .await;
    check_with(&databases, Some(brokers)).await;
    let mut ledger = Ledger::read(&databases).await.expect("the databases are there");
    let mut text = String::new();
    orders(&mut text, world, &mut ledger).await;
    topics(&mut text, &mut ledger, brokers).await;
    effects(&mut text, &mut ledger).await;
    recovery(&mut text, &mut ledger, fallen).await;
    text
}

async fn orders(text: &mut String, world: &World, ledger: &mut Ledger) {
    let rows: Vec<(i64,)> = ledger.rows("SELECT id FROM orders ORDER BY id").await.expect("rows");
    let stored: Vec<i64> = rows.into_iter().map(|(id,)| id).collect();
    let accepted: Vec<i64> = world.accepted.lock().unwrap().iter().copied().collect();
    assert_eq!(accepted.len(), world.wanted);
    assert_eq!(accepted, stored, "what was accepted, and what is there");
    let count = |status: &str| format!("SELECT count(*) FROM orders WHERE status = '{status}'");
    let paid = ledger.number(&count("paid")).await.expect("a number");
    let cancelled = ledger.number(&count("cancelled")).await.expect("a number");
    assert_eq!(usize::try_from(cancelled), Ok(world.wanted.div_ceil(CANCELLED_OF)), "cancelled orders");
    assert_eq!(usize::try_from(paid + cancelled), Ok(world.wanted), "paid and cancelled orders");
    line(
        text,
        &format!("orders accepted {}, stored {}: {paid} paid, {cancelled} cancelled", accepted.len(), stored.len()),
    );
}

async fn topics(text: &mut String, ledger: &mut Ledger, brokers: &str) {
    for told in told::compare(ledger, brokers).await {
        let rows = format!("SELECT count(*) FROM event WHERE topic = '{}'", told.topic);
        let rows = ledger.number(&rows).await.expect("a number");
        assert_eq!(usize::try_from(rows), Ok(told.distinct), "{}", told.topic);
        line(
            text,
            &format!(
                "{}: outbox rows {rows} = distinct events {}, copies beyond {}, order kept for {} keys",
                told.topic, told.distinct, told.copies, told.keys
            ),
        );
    }
}

async fn effects(text: &mut String, ledger: &mut Ledger) {
    let counts = "SELECT subscriber, count(*), count(received_at),
        (SELECT count(*) FROM received WHERE received.subscriber = effect.subscriber) FROM effect GROUP BY subscriber ORDER BY 1";
    let subscribers: Vec<(String, i64, i64, i64)> = ledger.rows(counts).await.expect("rows");
    let follow = "SELECT subscriber, count(*) FILTER (WHERE before IS NOT NULL), count(*) FILTER (WHERE received_at < before)
        FROM (SELECT subscriber, received_at,
                lag(received_at) OVER (PARTITION BY subscriber, publisher, key ORDER BY seq) AS before FROM effect) AS step
        GROUP BY subscriber ORDER BY 1";
    let followed: Vec<(String, i64, i64)> = ledger.rows(follow).await.expect("rows");
    for ((subscriber, events, effects, remembered), (_, behind, overtaken)) in subscribers.into_iter().zip(followed) {
        assert_eq!((events, events, 0), (effects, remembered, overtaken), "{subscriber}: events, effects, overtaken");
        line(
            text,
            &format!(
                "{subscriber}: events for it {events} = effects {effects}, in order, {behind} of them behind another of their key"
            ),
        );
    }
}

/// How the effects went on after each fault, by the database's clock.
async fn recovery(text: &mut String, ledger: &mut Ledger, fallen: &[Fallen]) {
    line(text, "");
    line(
        text,
        "Since it was back (the broker and the host answer, the database serves, the deploy has returned), by the times",
    );
    line(
        text,
        "that the effects bear: the first effect, and the last of what was waiting then, so the lag of that moment is zero.",
    );
    line(text, "least / median / most:");
    for fault in FAULTS {
        let (mut away, mut first, mut caught_up, mut waiting) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for fallen in fallen.iter().filter(|fallen| fallen.fault == fault) {
            let since = format!(
                "SELECT (extract(epoch FROM min(received_at) - timestamptz '{0}'))::float8,
                    coalesce((extract(epoch FROM max(received_at) FILTER (WHERE created_at <= '{0}') - timestamptz '{0}'))::float8, 0),
                    (count(*) FILTER (WHERE created_at <= '{0}'))::float8
                 FROM effect WHERE received_at > '{0}'",
                fallen.back
            );
            let row: Vec<(Option<f64>, f64, f64)> = ledger.rows(&since).await.expect("a row");
            let [(Some(first_s), caught_up_s, count)] = row[..] else { panic!("nothing had an effect after {fault}") };
            away.push(fallen.away.as_secs_f64());
            first.push(first_s);
            caught_up.push(caught_up_s);
            waiting.push(count);
        }
        line(
            text,
            &format!(
                "{fault}, {} times: away {} s; first effect after {} s; {} waiting effects, the last after {} s",
                away.len(),
                spread(away, 1),
                spread(first, 2),
                spread(waiting, 0),
                spread(caught_up, 2)
            ),
        );
    }
}

/// The least, the median and the most.
fn spread(mut figures: Vec<f64>, digits: usize) -> String {
    figures.sort_by(f64::total_cmp);
    let at = |place: usize| format!("{:.digits$}", figures.get(place).copied().unwrap_or(f64::NAN));
    format!("{} / {} / {}", at(0), at(figures.len() / 2), at(figures.len().saturating_sub(1)))
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a text takes it");
}
