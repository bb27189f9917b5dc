//! What a component's instances are given: its grants, turned into capabilities for each lane.

use std::{collections::BTreeMap, sync::Arc};

use tokio::{runtime::Handle, sync::Notify};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi_http::WasiHttpCtx;

use crate::{
    capability::{
        files::{self, Mount},
        outbound_http::{Grants, OutboundHttp, OutboundHttpSettings},
        postgres::{PoolSettings, Pools, PostgresContext},
        stdio::{CurrentRequest, GuestOutput, Origin, OutputKind, OutputLimiter},
        variables::VariablesContext,
    },
    guest::{Guest, MemoryLimit, Requests},
    limits::{ComponentLimits, LOG_BYTES_PER_SECOND},
    manifest::{App, app::Component, grant::AllowedHosts},
    service::{Furnish, Lane},
};

/// A component's grants, resolved.
pub struct Outfit {
    id: Arc<str>,
    limits: ComponentLimits,
    variables: Arc<BTreeMap<String, String>>,
    environment: Vec<(String, String)>,
    mounts: Vec<Mount>,
    grants: Arc<AllowedHosts>,
    output: Arc<OutputLimiter>,
    /// Told when the component may have written to its database.
    wrote: Arc<Notify>,
}

impl Outfit {
    /// Resolves what the manifest grants a component.
    ///
    /// # Errors
    /// A template, a grant or a file that cannot be resolved, with the component's name.
    pub fn new(
        app: &App,
        component: &Component,
        values: &BTreeMap<String, String>,
        scratch: &std::path::Path,
    ) -> anyhow::Result<Self> {
        let resolve = |templates: &BTreeMap<String, crate::manifest::template::Template>| {
            let resolved = templates.iter().map(|(name, template)| Ok((name.clone(), template.resolve(values)?)));
            resolved.collect::<Result<BTreeMap<_, _>, crate::manifest::template::TemplateError>>()
        };
        let hosts = component.allowed_outbound_hosts.iter().map(|template| template.resolve(values));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            id: component.id.as_str().into(),
            limits: component.plaza.limits.clone(),
            variables: Arc::new(resolve(&component.variables)?),
            environment: resolve(&component.environment)?.into_iter().collect(),
            mounts: files::mounts(component, app.base(), scratch)?,
            grants: Arc::new(AllowedHosts::parse(hosts)?),
            output: Arc::new(OutputLimiter::new(LOG_BYTES_PER_SECOND)),
            wrote: Arc::new(Notify::new()),
        })
    }

    /// Told when the component may have written to its database.
    pub fn wrote(&self) -> Arc<Notify> {
        self.wrote.clone()
    }

    /// The capabilities on one of `count` lanes, which share the component's database connections evenly.
    pub fn lane(self: &Arc<Self>, runtime: Handle, count: usize) -> (Lane, Pools) {
        let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        let pools = Pools::new(PoolSettings {
            component: self.id.to_string(),
            grants: self.grants.clone(),
            max_connections: self.limits.database_connections.div_ceil(count).max(1),
            query_bytes: self.limits.query_bytes,
            on_write: Some(self.wrote.clone()),
        });
        let grants = Arc::new(OutboundGrants(self.grants.clone()));
        let outbound = Arc::new(OutboundHttpSettings::new(self.id.clone(), grants, None));
        let furnish = Arc::new(OnLane { outfit: self.clone(), pools: pools.clone(), outbound });
        (Lane { runtime, furnish }, pools)
    }
}

/// The capabilities of one component on one lane.
struct OnLane {
    outfit: Arc<Outfit>,
    pools: Pools,
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
        if let Err(error) = files::preopen(&mut wasi, &outfit.mounts) {
            tracing::error!(component = %outfit.id, %error, "a folder of the manifest's `files` cannot be opened");
        }
        Guest {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: OutboundHttp::new(self.outbound.clone()),
            postgres: PostgresContext::new(self.pools.clone()),
            variables: VariablesContext::new(outfit.variables.clone()),
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

    fn names(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.0.names(scheme, host, port)
    }
}
