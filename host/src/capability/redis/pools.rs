//! The connections of one component on one core, or on several where it may have few: a pool for each address.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{failure::Failure, pool::Pool};
use crate::{
    blocked_networks::BlockedNetworks,
    limits::{REDIS_ADDRESS_BYTES, REDIS_ADDRESSES},
    manifest::grant::AllowedHosts,
    redis_connection::RedisAddress,
    refusals::Refusals,
};

/// What the pools of a component are bounded by.
#[derive(Clone)]
pub struct PoolSettings {
    /// The component's name, for messages.
    pub component: String,
    /// Where it may connect to.
    pub grants: Arc<AllowedHosts>,
    /// Where it may not, whatever is granted.
    pub blocked: Arc<BlockedNetworks>,
    /// Connections to one address, at most.
    pub max_connections: u32,
    /// Bytes of one answer.
    pub answer_bytes: usize,
    /// How long one command may take: what its guest is given up for may go on in an instance that serves others.
    pub command_time: Duration,
    /// How long a connection that nobody uses is kept.
    pub idle_time: Duration,
}

/// All pools of one component on one core, or on several. Clones share them, and the last one closes what is idle.
#[derive(Clone)]
pub struct Pools(Arc<Shared>);

struct Shared {
    settings: PoolSettings,
    /// By the address, user, password and database included, however the guest spells it.
    pools: Mutex<HashMap<RedisAddress, Arc<Pool>>>,
    refusals: Refusals,
}

impl Pools {
    /// No connection is made before a command needs one.
    pub fn new(settings: PoolSettings) -> Self {
        Self(Arc::new(Shared { settings, pools: Mutex::default(), refusals: Refusals::default() }))
    }

    /// The pool for an address, after checking that the component may use it.
    pub(super) fn pool(&self, address: &str) -> Result<Arc<Pool>, Failure> {
        if address.len() > REDIS_ADDRESS_BYTES {
            return Err(Failure::InvalidAddress);
        }
        let address = RedisAddress::parse(address).map_err(|_| Failure::InvalidAddress)?;
        let mut pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&address) {
            return Ok(pool.clone());
        }
        self.check_grant(&address)?;
        if pools.len() >= REDIS_ADDRESSES {
            pools.retain(|_, pool| Arc::strong_count(pool) > 1);
        }
        if pools.len() >= REDIS_ADDRESSES {
            return Err(Failure::Other(format!("at most {REDIS_ADDRESSES} addresses of Redis can be in use at once")));
        }
        let pool = Arc::new(Pool::new(address.clone(), &self.0.settings));
        pools.insert(address, pool.clone());
        Ok(pool)
    }

    fn check_grant(&self, address: &RedisAddress) -> Result<(), Failure> {
        let PoolSettings { component, grants, .. } = &self.0.settings;
        if grants.allows(address.scheme(), &address.host, address.port) {
            return Ok(());
        }
        let address = address.to_string();
        if self.0.refusals.is_first(&address) {
            tracing::warn!(
                component,
                "component `{component}` may not connect to {address}; add \"{address}\" to its allowed_outbound_hosts (told once)"
            );
        }
        // The word that Spin has for it.
        Err(Failure::InvalidAddress)
    }
}
