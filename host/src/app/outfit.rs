//! What a component's instances are given: its grants, turned into capabilities for each lane.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use tokio::{runtime::Handle, sync::Notify};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::WasiHttpCtx;

use super::{
    chain::{Neighbourhood, Within},
    storage::Storage,
};
use crate::{
    blocked_networks::BlockedNetworks,
    capability::{
        files::{self, Mount},
        key_value::{self, KeyValueContext},
        outbound_http::{Grants, OutboundHttp, OutboundHttpSettings},
        postgres::{OwnServer, PoolSettings, Pools, PostgresContext},
        redis::{self, RedisContext},
        sockets::{self, OpenSockets},
        sqlite::{self, SqliteContext},
        stdio::{CurrentRequest, GuestOutput, Origin, OutputKind, OutputLimiter},
        variables::VariablesContext,
    },
    guest::{Guest, MemoryLimit, Requests},
    limits::{ABANDONED_GRACE, ComponentLimits, LOG_BYTES_PER_SECOND, REDIS_IDLE_CONNECTION},
    manifest::{App, app::Component, grant::AllowedHosts, template::TemplateError},
    service::{Furnish, Lane, Room},
};

/// What the host has for all components, whatever the manifest says of them.
pub struct Premises {
    /// The folder for what is made of the manifest's `files`.
    pub scratch: PathBuf,
    /// Where stores and databases are kept.
    pub storage: Storage,
    /// Where no component may connect to.
    pub blocked: Arc<BlockedNetworks>,
}

/// A component's grants, resolved.
pub struct Outfit {
    id: Arc<str>,
    limits: ComponentLimits,
    variables: Arc<BTreeMap<String, String>>,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    grants: Arc<AllowedHosts>,
    blocked: Arc<BlockedNetworks>,
    /// The server of the components' own databases.
    own_server: Option<Arc<OwnServer>>,
    stores: key_value::Granted,
    databases: sqlite::Granted,
    output: Arc<OutputLimiter>,
    /// Told when the component may have written to its database.
    wrote: Arc<Notify>,
}

impl Outfit {
    /// Resolves what the manifest grants a component. `own_server` is where the host keeps the components' own databases,
    /// and `wrote` is told when it may have written to its one.
    ///
    /// # Errors
    /// A template, a grant or a file that cannot be resolved, with the component's name.
    pub fn new(
        app: &App,
        component: &Component,
        values: &BTreeMap<String, String>,
        premises: &Premises,
        own_server: Option<Arc<OwnServer>>,
        wrote: Arc<Notify>,
    ) -> anyhow::Result<Self> {
        let variables = component.variables.iter();
        let variables = variables.map(|(name, template)| Ok((name.clone(), template.resolve(values)?)));
        let hosts = component.allowed_outbound_hosts.iter().map(|template| template.resolve(values));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        let limits = &component.plaza.limits;
        Ok(Self {
            id: component.id.as_str().into(),
            limits: limits.clone(),
            variables: Arc::new(variables.collect::<Result<_, TemplateError>>()?),
            environment: component.environment.clone().into_iter().collect(),
            mounts: files::mounts(component, app.base(), &premises.scratch)?,
            grants: Arc::new(AllowedHosts::parse(hosts)?),
            blocked: premises.blocked.clone(),
            own_server,
            stores: premises.storage.stores.grant(&component.key_value_stores, limits.query_bytes)?,
            databases: premises.storage.databases.grant(&component.sqlite_databases, limits.into())?,
            output: Arc::new(OutputLimiter::new(LOG_BYTES_PER_SECOND)),
            wrote,
        })
    }

    /// Told when the component may have written to its database.
    pub fn wrote(&self) -> Arc<Notify> {
        self.wrote.clone()
    }

    /// The capabilities on a lane of each runtime. The lanes share the component's database connections, of which there are
    /// no more in all than it may have: where that is fewer than lanes, some have a pool in common.
    pub fn lanes(
        self: &Arc<Self>,
        runtimes: &[Handle],
        room: &Room,
        neighbourhood: &Neighbourhood,
    ) -> (Vec<Lane>, Vec<Pools>) {
        let shares: Vec<u32> = shares(self.limits.database_connections, runtimes.len()).collect();
        let pools: Vec<Pools> = shares.iter().map(|share| self.pools(*share)).collect();
        let redis: Vec<redis::Pools> = shares.iter().map(|share| self.redis(*share)).collect();
        let each = runtimes.iter().zip(pools.iter().zip(&redis).cycle());
        let lane = |(runtime, (pools, redis)): (&Handle, (&Pools, &redis::Pools))| {
            self.lane(runtime.clone(), (pools.clone(), redis.clone()), room.clone(), neighbourhood.clone())
        };
        let lanes = each.map(lane).collect();
        (lanes, pools)
    }

    fn pools(&self, max_connections: u32) -> Pools {
        Pools::new(PoolSettings {
            component: self.id.to_string(),
            grants: self.grants.clone(),
            blocked: self.blocked.clone(),
            own_server: self.own_server.clone(),
            max_connections,
            query_bytes: self.limits.query_bytes,
            on_write: Some(self.wrote.clone()),
        })
    }

    fn redis(&self, max_connections: u32) -> redis::Pools {
        redis::Pools::new(redis::PoolSettings {
            component: self.id.to_string(),
            grants: self.grants.clone(),
            blocked: self.blocked.clone(),
            max_connections,
            answer_bytes: self.limits.query_bytes,
            command_time: self.limits.request_time() + ABANDONED_GRACE,
            idle_time: REDIS_IDLE_CONNECTION,
        })
    }

    fn lane(
        self: &Arc<Self>,
        runtime: Handle,
        (pools, redis): (Pools, redis::Pools),
        room: Room,
        neighbourhood: Neighbourhood,
    ) -> Lane {
        let grants = Arc::new(OutboundGrants(self.grants.clone()));
        let within = Arc::new(Within { caller: self.id.clone(), neighbourhood });
        let outbound = Arc::new(OutboundHttpSettings::new(self.id.clone(), grants, self.blocked.clone(), Some(within)));
        Lane { runtime, furnish: Arc::new(OnLane { outfit: self.clone(), pools, redis, outbound }), room }
    }
}

/// How many connections each pool gets, so that they are `all` together: a pool a lane, or as many as there are connections.
fn shares(all: u32, lanes: usize) -> impl Iterator<Item = u32> {
    let all = all.max(1);
    let pools = u32::try_from(lanes).unwrap_or(u32::MAX).clamp(1, all);
    (0..pools).map(move |pool| all / pools + u32::from(pool < all % pools))
}

/// The capabilities of one component on one lane.
struct OnLane {
    outfit: Arc<Outfit>,
    pools: Pools,
    redis: redis::Pools,
    outbound: Arc<OutboundHttpSettings>,
}

impl Furnish for OnLane {
    fn guest(&self, version: &Arc<str>) -> Guest {
        let outfit = &self.outfit;
        let printing = CurrentRequest::default();
        let origin = Origin { component: outfit.id.clone(), version: version.clone() };
        let output = |kind| GuestOutput::new(origin.clone(), kind, outfit.output.clone(), printing.clone());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(output(OutputKind::Stdout)).stderr(output(OutputKind::Stderr)).envs(&outfit.environment);
        sockets::grant(&mut wasi, &outfit.grants, &outfit.blocked);
        if let Err(error) = files::preopen(&mut wasi, &outfit.mounts) {
            tracing::error!(component = %outfit.id, %error, "a folder of the manifest's `files` cannot be opened");
        }
        Guest {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: OutboundHttp::new(self.outbound.clone()),
            key_value: KeyValueContext::new(outfit.stores.clone()),
            postgres: PostgresContext::new(self.pools.clone()),
            redis: RedisContext::new(self.redis.clone()),
            sqlite: SqliteContext::new(outfit.databases.clone()),
            variables: VariablesContext::new(outfit.variables.clone()),
            sockets: OpenSockets::default(),
            printing,
            memory: MemoryLimit::mib(outfit.limits.memory_mib),
            requests: Requests::default(),
        }
    }
}

/// The manifest's grants as outgoing HTTP asks for them.
struct OutboundGrants(Arc<AllowedHosts>);

impl Grants for OutboundGrants {
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.0.allows(scheme, host, port)
    }

    fn allows_self(&self) -> bool {
        self.0.allows_self()
    }

    fn names_domain(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.0.names_domain(scheme, host, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_no_more_connections_together_than_their_component_may() {
        for all in [1, 2, 3, 16, 200] {
            for lanes in [1, 2, 3, 10, 64] {
                let shares: Vec<u32> = shares(all, lanes).collect();
                assert_eq!(shares.iter().sum::<u32>(), all, "{all} on {lanes}: {shares:?}");
                assert!(
                    shares.iter().all(|share| *share >= 1) && shares.len() <= lanes,
                    "{all} on {lanes}: {shares:?}"
                );
            }
        }
        assert_eq!(shares(16, 10).collect::<Vec<_>>(), [2, 2, 2, 2, 2, 2, 1, 1, 1, 1]);
    }
}
