//! What befalls the shop.

use plaza_tests::{Shop, artifact::stamped, blow::kill_database};
use rand::{rngs::StdRng, seq::SliceRandom};

use crate::World;

/// Who moves the money.
const PROVIDER: &str = "payment-sandbox";

/// A misfortune.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The host ends without warning and is started again.
    HostKilled,
    /// The database server ends without warning; the host starts it again.
    DatabaseKilled,
    /// Another provider, equal but for a few bytes, is deployed in the place of the one that may be in the midst of charging.
    ProviderReplaced,
}

/// Misfortunes in the order in which they come, each after so many more visits.
pub struct Blows {
    order: Vec<Blow>,
}

impl Blows {
    /// So many, each kind as often as the others.
    pub fn planned(count: usize, mut random: StdRng) -> Self {
        let mut order = Vec::new();
        while order.len() < count {
            let mut round = [Blow::HostKilled, Blow::DatabaseKilled, Blow::ProviderReplaced];
            round.shuffle(&mut random);
            order.extend(round);
        }
        order.truncate(count);
        Self { order }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Lets them fall, spread over all visits; returns the shop that is left.
    pub async fn fall(self, world: &World, mut shop: Shop) -> Shop {
        let every = world.all_visits / (self.order.len() + 1);
        for (number, blow) in self.order.iter().enumerate() {
            world.visited((number + 1) * every).await;
            shop = match blow {
                Blow::HostKilled => tokio::task::block_in_place(|| shop.killed_and_started_again()),
                Blow::DatabaseKilled => {
                    kill_database(&shop.host).await;
                    shop
                }
                Blow::ProviderReplaced => provider_replaced(shop, number).await,
            };
            world.tally.note(format!("blow: {blow:?}"));
        }
        shop
    }
}

async fn provider_replaced(shop: Shop, number: usize) -> Shop {
    let before = shop.host.version_of(PROVIDER).await;
    shop.host.deploy(PROVIDER, &stamped(PROVIDER, &number.to_string()), &[]).await.expect();
    assert_ne!(shop.host.version_of(PROVIDER).await, before, "the same provider is still there");
    shop
}
