//! Whether the others answer, asked by the interfaces that the shop's components share.
//!
//! Who has no question of its own for that is asked for something that does not exist: saying so takes the component and
//! its database, and changes nothing.

use std::time::Duration;

use kit::within;

use crate::bindings::shop;
use crate::bindings::shop::products::inventory;
use crate::bindings::shop::users::directory;

/// A reservation that nobody made.
const NO_RESERVATION: &str = "00000000-0000-0000-0000-000000000000";

/// Whether somebody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// Who was asked.
    pub name: &'static str,
    /// Whether there was an answer.
    pub answers: bool,
}

/// How the shop is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wellbeing {
    /// Everybody, and whether they answer.
    pub checks: [Check; 5],
    /// Whether events reach whom they are for.
    pub events_flow: bool,
}

/// How long anybody may take to answer. Who is asked whether the shop is ready wants to know it soon.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks everybody at once.
pub async fn wellbeing() -> Wellbeing {
    let (users, products, orders, payments, provider, events_flow) = futures::join!(
        within(PATIENCE, users()),
        within(PATIENCE, products()),
        within(PATIENCE, orders()),
        within(PATIENCE, payments()),
        within(PATIENCE, provider()),
        within(PATIENCE, shop::orders::readiness::events_flow()),
    );
    let checks = [
        ("users", users),
        ("products", products),
        ("orders", orders),
        ("payments", payments),
        ("payment-provider", provider),
    ]
    .map(|(name, answer)| Check { name, answers: answer.unwrap_or(false) });
    // Who does not answer is named among the checks.
    Wellbeing { checks, events_flow: !matches!(events_flow, Some(Ok(false))) }
}

async fn users() -> bool {
    !matches!(directory::get_user(0).await, Err(directory::Error::Unavailable(_)))
}

async fn products() -> bool {
    let answer = inventory::commit(NO_RESERVATION.to_owned(), None).await;
    !matches!(answer, Err(inventory::Error::Unavailable(_)))
}

async fn orders() -> bool {
    shop::orders::readiness::check().await.is_ok()
}

async fn payments() -> bool {
    shop::payments::readiness::check().await.is_ok()
}

async fn provider() -> bool {
    shop::payments::readiness::check_provider().await.is_ok()
}
