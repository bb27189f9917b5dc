//! What one store holds: the capabilities of one instance, and which requests it is serving.

use std::{collections::VecDeque, sync::Arc};

use wasmtime::{
    ResourceLimiter, StoreContextMut,
    component::{GuestTaskId, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

pub use crate::capability::outbound_http::Sender;
use crate::{
    capability::{
        key_value::KeyValueContext,
        outbound_http::OutboundHttp,
        postgres::PostgresContext,
        redis::RedisContext,
        sockets::OpenSockets,
        sqlite::SqliteContext,
        stdio::{CurrentRequest, RequestOfTask},
        variables::VariablesContext,
    },
    limits::{TABLE_ELEMENTS, TASKS_REMEMBERED},
    service::CallContext,
};

/// The host's side of one instance.
pub struct Guest {
    /// Handles that the guest holds.
    pub table: ResourceTable,
    /// Clocks, randomness, files, environment, output.
    pub wasi: WasiCtx,
    /// Limits of `wasi:http`.
    pub http: WasiHttpCtx,
    /// Where outgoing requests go.
    pub outbound: OutboundHttp,
    /// Its key-value stores.
    pub key_value: KeyValueContext,
    /// Its databases.
    pub postgres: PostgresContext,
    /// Its Redis servers.
    pub redis: RedisContext,
    /// Its SQLite databases.
    pub sqlite: SqliteContext,
    /// The variables it may read.
    pub variables: VariablesContext,
    /// Its sockets.
    pub sockets: OpenSockets,
    /// Which of its requests is printing.
    pub printing: CurrentRequest,
    /// The bound on its memory.
    pub memory: MemoryLimit,
    /// The requests it serves now.
    pub requests: Requests,
}

impl Guest {
    /// Whom to tell that the instance ends out of order.
    pub fn sender(&self) -> Sender {
        self.outbound.sender()
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

/// Which guest task serves which request. An instance serves few at once, so a list beats a map.
#[derive(Debug, Default)]
pub struct Requests {
    served: Vec<(GuestTaskId, Arc<CallContext>)>,
    /// How deep in a chain those were that have been answered and may go on all the same, and ask in turn.
    answered: VecDeque<(GuestTaskId, usize)>,
    /// The deepest of those that were forgotten.
    forgotten: Option<usize>,
}

/// On whose behalf a guest asks somebody.
#[derive(Debug, Clone)]
pub enum Behalf {
    /// Of a request that it serves.
    Request(Arc<CallContext>),
    /// Of nobody: it has answered, or was never asked. So many components came before it.
    Nobody {
        /// How many.
        behind: usize,
    },
}

impl Requests {
    /// Notes that `task` serves a request.
    pub fn enter(&mut self, task: GuestTaskId, context: Arc<CallContext>) {
        self.answered.retain(|(id, _)| *id != task);
        self.served.push((task, context));
    }

    /// Forgets a request. Where nothing `goes_on` in the instance, nobody can ask on behalf of what was answered before either.
    pub fn leave(&mut self, task: GuestTaskId, goes_on: bool) {
        let depth = self.of(task).map_or(0, |context| context.depth());
        self.served.retain(|(id, _)| *id != task);
        if !goes_on {
            self.answered.clear();
            self.forgotten = None;
            return;
        }
        self.answered.push_back((task, depth));
        if self.answered.len() > TASKS_REMEMBERED
            && let Some((_, depth)) = self.answered.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(depth));
        }
    }

    /// Whether all that goes on belongs to the requests that are served.
    fn are_all(&self) -> bool {
        self.answered.is_empty() && self.forgotten.is_none()
    }

    /// The request that `task` serves.
    pub fn of(&self, task: GuestTaskId) -> Option<&Arc<CallContext>> {
        self.served.iter().find(|(id, _)| *id == task).map(|(_, context)| context)
    }

    /// How deep in a chain `task` is, which has answered.
    fn depth_of(&self, task: GuestTaskId) -> Option<usize> {
        self.answered.iter().find(|(id, _)| *id == task).map(|(_, depth)| *depth)
    }

    /// The only request there is, if there is just one.
    pub fn only(&self) -> Option<&Arc<CallContext>> {
        match self.served.as_slice() {
            [(_, context)] => Some(context),
            _ => None,
        }
    }
}

impl RequestOfTask for Requests {
    fn request_of(&self, task: GuestTaskId) -> Option<Arc<str>> {
        self.of(task).or_else(|| self.only().filter(|_| self.are_all())).map(|context| context.request_id.clone())
    }
}

/// On whose behalf the guest is calling the host right now.
pub fn current_behalf(store: &mut StoreContextMut<'_, Guest>) -> Behalf {
    let requests = &store.data().requests;
    let only = requests.only().cloned();
    if let Some(only) = only.clone().filter(|_| requests.are_all()) {
        return Behalf::Request(only);
    }
    let tasks: Vec<GuestTaskId> = store.async_call_stack().map(Iterator::collect).unwrap_or_default();
    let requests = &store.data().requests;
    if let Some(served) = tasks.iter().find_map(|task| requests.of(*task).cloned()) {
        return Behalf::Request(served);
    }
    let known = tasks.iter().find_map(|task| requests.depth_of(*task));
    match (known.or(requests.forgotten.filter(|_| !tasks.is_empty())), only) {
        (Some(behind), _) => Behalf::Nobody { behind },
        (None, Some(only)) => Behalf::Request(only),
        (None, None) => Behalf::Nobody { behind: requests.forgotten.unwrap_or_default() },
    }
}

/// Bounds the linear memories, all together, and the tables of one store.
#[derive(Debug)]
pub struct MemoryLimit {
    limit_bytes: usize,
    /// What all memories have. None of them shrinks, and they end together, with the store.
    granted_bytes: usize,
    /// What the guest was refused last, for the log of the trap that usually follows.
    pub refused_bytes: Option<usize>,
}

impl MemoryLimit {
    /// A bound of so many MiB.
    pub fn mib(limit_mib: u32) -> Self {
        let limit_bytes = usize::try_from(limit_mib).unwrap_or(usize::MAX).saturating_mul(1 << 20);
        Self { limit_bytes, granted_bytes: 0, refused_bytes: None }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(&mut self, now: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.granted_bytes.saturating_add(desired.saturating_sub(now));
        // A memory does not outgrow what it declares, whatever is answered. What then fails for want of the machine's memory
        // counts as granted all the same: no reason is given by which to tell the two apart.
        let fits = all <= self.limit_bytes && maximum.is_none_or(|maximum| desired <= maximum);
        if fits {
            self.granted_bytes = all;
        } else {
            self.refused_bytes = Some(all);
        }
        Ok(fits)
    }

    fn table_growing(&mut self, _now: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
