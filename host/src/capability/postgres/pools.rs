//! The connections of one component on one core, or on several where it may have few: a pool for each address.

use super::address::{self, Address};
use super::environment::Authorities;
use super::failure::{self, Failure};
use super::pool::{Pool, locked};
use crate::blocked_networks::BlockedNetworks;
use crate::limits::DATABASE_ADDRESSES;
use crate::manifest::grant::AllowedHosts;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What the pools of a component are bounded by.
#[derive(Clone)]
pub struct PoolSettings {
    /// The component's name, for messages.
    pub component: String,
    /// Where it may connect to.
    pub grants: Arc<AllowedHosts>,
    /// Where it may not, whatever is granted.
    pub blocked: Arc<BlockedNetworks>,
    /// The host's own server, which is not blocked: it is where the host has put the component's database.
    pub own_server: Option<Arc<OwnServer>>,
    /// Connections to one address, at most.
    pub max_connections: u32,
    /// Bytes of one query's rows held in the host at once.
    pub query_bytes: usize,
    /// Told after each statement that may have changed data, once it is committed.
    pub on_write: Option<Arc<Notify>>,
}

/// Where the host keeps the components' own databases.
#[derive(Debug)]
pub struct OwnServer {
    /// `host:port`.
    pub address: String,
    /// The folder with its Unix socket, where it has one that the host may use: a nearer way to the same server.
    pub socket: Option<PathBuf>,
}

/// All pools of one component on one core, or on several. Clones share them.
#[derive(Clone)]
pub struct Pools(Arc<Shared>);

struct Shared {
    settings: PoolSettings,
    authorities: Authorities,
    pools: Mutex<HashMap<PoolKey, Arc<Pool>>>,
    closed: AtomicBool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct PoolKey {
    address: String,
    ca_root: Option<String>,
}

impl Pools {
    /// No connection is made before a statement needs one.
    pub fn new(settings: PoolSettings) -> Self {
        Self::trusting(Authorities::default(), settings)
    }

    /// The same, where others than those of the environment vouch for the servers.
    pub fn trusting(authorities: Authorities, settings: PoolSettings) -> Self {
        Self(Arc::new(Shared { settings, authorities, pools: Mutex::default(), closed: AtomicBool::new(false) }))
    }

    /// Closes what is idle; what is in use is closed when it comes back, and nothing new is opened.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        let pools: Vec<Arc<Pool>> = locked(&self.0.pools).drain().map(|(_, pool)| pool).collect();
        for pool in pools {
            pool.close().await;
        }
    }

    /// Connections open to the database, idle or in use.
    pub fn open_connections(&self) -> usize {
        locked(&self.0.pools).values().map(|pool| pool.open_connections()).sum()
    }

    /// The pool for an address, after checking that the component may use it.
    pub(super) fn pool(&self, address: &str, ca_root: Option<&str>) -> Result<Arc<Pool>, Failure> {
        let key = PoolKey { address: address.to_owned(), ca_root: ca_root.map(str::to_owned) };
        if let Some(pool) = locked(&self.0.pools).get(&key) {
            return Ok(pool.clone());
        }
        let parsed =
            address::parse(address, ca_root, &self.0.authorities).map_err(|error| failure::of_address(&error))?;
        self.check_grant(&parsed)?;
        if self.0.closed.load(Ordering::Acquire) {
            return Err(failure::connection("this version of the component is being shut down"));
        }
        let mut pools = locked(&self.0.pools);
        if pools.len() >= DATABASE_ADDRESSES {
            pools.retain(|_, pool| Arc::strong_count(pool) > 1);
        }
        if pools.len() >= DATABASE_ADDRESSES {
            return Err(failure::connection(format!(
                "at most {DATABASE_ADDRESSES} database addresses can be in use at once"
            )));
        }
        let pool = pools.entry(key).or_insert_with(|| Arc::new(Pool::new(parsed, &self.0.settings)));
        Ok(pool.clone())
    }

    fn check_grant(&self, address: &Address) -> Result<(), Failure> {
        if self.0.settings.grants.allows("postgres", &address.host, address.port) {
            return Ok(());
        }
        let (component, server) = (&self.0.settings.component, address.server());
        Err(failure::connection(format!(
            "component `{component}` may not connect to {server}; add \"postgres://{server}\" to its allowed_outbound_hosts"
        )))
    }
}
