//! What must always hold in the shop, asked of its databases.
//!
//! Each rule is a statement of SQL that finds what breaks it (`invariants/*.sql`). What a rule compares may stand in the databases of
//! several services, so the [`Ledger`] first copies what they say, each at one moment, into one session. Rules 1, 6 and 8
//! hold at any moment; the others once nothing is under way any more, which [`Ledger::at_rest`] waits for.
//!
//! All nine are asked in SQL. Of two, SQL sees what was left behind: that an event had one effect shows in what it makes (5), and that
//! equal keys made one thing shows in their rows (7); whether all repetitions got the same answer, only who sent them can say.

mod ledger;
mod letters;
mod report;
mod rule;
mod source;

pub use ledger::{AtRest, Ledger};
pub use report::{Finding, Report};
pub use rule::{RULES, Rule};

use std::time::Duration;

use crate::databases::{Databases, Unreachable};

/// How long after a crash something may still be under way: an attempt whose request died keeps its lease for as long as
/// a request may take, and the next tick settles it.
pub const SETTLING: Duration = Duration::from_secs(120);

/// Asks every rule, those that hold at rest only once the shop is; waits so long for that. Dead letters that are on brokers are
/// seen where these are named; otherwise the report says that nobody looked.
pub async fn ask(databases: &Databases, brokers: Option<&str>, patience: Duration) -> Result<Report, Unreachable> {
    let mut report = ask_at_once(databases).await?;
    let mut ledger = match Ledger::at_rest(databases, patience).await? {
        AtRest::Yes(ledger) => ledger,
        AtRest::No { ledger, under_way } => {
            report.not_at_rest(patience, under_way);
            ledger
        }
    };
    for rule in RULES {
        if rule.at_any_moment || !report.is_unsettled() || rule.number == rule::EVENTS {
            report.add(rule, ledger.broken(rule).await?);
        }
    }
    report.figures(ledger.figures().await?);
    match brokers {
        Some(brokers) => report.letters(letters::on(brokers, &mut ledger).await?),
        None => report.remark(rule::EVENTS, "; dead letters on Kafka not looked at, for no brokers were named"),
    }
    Ok(report)
}

/// Asks the rules that hold at any moment, while the shop is busy.
pub async fn ask_at_once(databases: &Databases) -> Result<Report, Unreachable> {
    let mut report = Report::default();
    let mut ledger = Ledger::read_busy(databases).await?;
    for rule in RULES.iter().filter(|rule| rule.at_any_moment) {
        report.add(rule, ledger.broken(rule).await?);
    }
    Ok(report)
}

/// Waits until the shop is at rest, asks every rule, prints a line for each, and fails the test when one is broken.
pub async fn check(databases: &Databases) {
    check_with(databases, None).await;
}

/// The same for a shop whose events are on these brokers.
pub async fn check_with(databases: &Databases, brokers: Option<&str>) {
    let report = ask(databases, brokers, SETTLING).await.unwrap_or_else(|error| panic!("{error}"));
    println!("{report}");
    assert!(report.holds(), "{report}");
}
