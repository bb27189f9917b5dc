//! Whether the others answer, asked by the interfaces that the shop's components share.
//!
//! Each is asked for something that does not exist: saying so takes the component and its database, and changes nothing.

use crate::bindings::shop::payments::provider;
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

/// Asks everybody at once.
pub async fn checks() -> [Check; 3] {
    let (users, products, provider) = futures::join!(users(), products(), provider());
    [("users", users), ("products", products), ("payment-provider", provider)]
        .map(|(name, answers)| Check { name, answers })
}

async fn users() -> bool {
    !matches!(directory::get_user(0).await, Err(directory::Error::Unavailable(_)))
}

async fn products() -> bool {
    let answer = inventory::commit(NO_RESERVATION.to_owned()).await;
    !matches!(answer, Err(inventory::Error::Unavailable(_)))
}

async fn provider() -> bool {
    !matches!(provider::find(String::new()).await, Err(provider::Error::Unavailable(_)))
}
