//! The least host that serves one guest: an engine, a linker with every capability, one instance for all requests.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use plaza::capability::{
    files::{self, Mount},
    outbound_http::{self, Grants, OutboundHttp, OutboundHttpSettings},
    stdio::{self, CurrentRequest, GuestOutput, Origin, OutputKind, OutputLimiter, StdioView},
    variables::{self, VariablesContext},
};
use wasmtime::{
    Config, Engine, Store, StoreContextMut,
    component::{Component, GuestTaskId, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, cli::WasiCliView};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{
        HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
    },
    p2, p3,
};

/// What the guest is given.
#[derive(Default)]
pub struct Given {
    pub variables: BTreeMap<String, String>,
    pub mounts: Vec<Mount>,
    /// The one host it may call.
    pub host: &'static str,
}

/// A guest that can be asked.
pub struct Served {
    handler: ProxyHandler<Handler>,
}

impl Served {
    /// Loads the guest `name`, which must be built already.
    pub fn new(name: &str, given: Given) -> Self {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_file(&engine, guest(name)).unwrap();
        let pre = linker(&engine).unwrap().instantiate_pre(&component).unwrap();
        let pre = match p3::bindings::ServicePre::new(pre.clone()) {
            Ok(service) => ProxyPre::P3(service),
            Err(_) => ProxyPre::P2(p2::bindings::ProxyPre::new(pre).unwrap()),
        };
        let grants = Arc::new(OneHost(given.host));
        let outbound = Arc::new(OutboundHttpSettings::new(name.into(), grants, Arc::default(), None));
        Self { handler: ProxyHandler::new(Handler { engine, pre, given, outbound, limiter: Arc::default() }) }
    }

    /// The text that `path` answers; the request's id is `id`.
    pub async fn get(&self, id: &str, path: &str) -> String {
        let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        let request = Request::get(format!("http://host{path}")).body(body).unwrap();
        let response = self.handler.handle(id.into(), request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

/// The guest's file, in the target folder that this test was built into.
fn guest(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let file = target.join(format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_")));
    assert!(file.exists(), "build the guest first: cargo build --release --target wasm32-wasip2 -p {name}");
    file
}

struct OneHost(&'static str);

impl Grants for OneHost {
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.names_domain(scheme, host, port)
    }

    fn allows_self(&self) -> bool {
        false
    }

    fn names_domain(&self, _: &str, host: &str, _: u16) -> bool {
        host == self.0
    }
}

/// What a store holds.
struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: OutboundHttp,
    variables: VariablesContext,
    current: CurrentRequest,
    requests: HashMap<GuestTaskId, Arc<str>>,
}

impl Guest {
    fn new(handler: &Handler) -> wasmtime::Result<Self> {
        let current = CurrentRequest::default();
        let origin = Origin { component: "guest".into(), version: "1".into() };
        let output = |kind| GuestOutput::new(origin.clone(), kind, handler.limiter.clone(), current.clone());
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdout(output(OutputKind::Stdout)).stderr(output(OutputKind::Stderr));
        files::preopen(&mut wasi, &handler.given.mounts)?;
        Ok(Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: OutboundHttp::new(handler.outbound.clone()),
            variables: VariablesContext::new(Arc::new(handler.given.variables.clone())),
            current,
            requests: HashMap::new(),
        })
    }

    /// Has the request that is sending named in what it sends.
    fn name_request(mut store: StoreContextMut<'_, Self>) {
        let tasks: Vec<GuestTaskId> = store.async_call_stack().unwrap().collect();
        let guest = store.data_mut();
        let request = tasks.iter().find_map(|task| guest.requests.get(task).cloned());
        guest.outbound.set_traceparent(request);
    }

    fn stdio(&mut self) -> StdioView<'_> {
        StdioView { table: &mut self.table, current: &self.current, requests: &self.requests }
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

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    p2::add_only_http_to_linker_async(&mut linker)?;
    p3::add_to_linker(&mut linker)?;
    outbound_http::add_to_linker(&mut linker, Guest::name_request, WasiHttpView::http)?;
    stdio::add_to_linker(&mut linker, Guest::stdio, WasiCliView::cli)?;
    variables::add_to_linker(&mut linker, |guest: &mut Guest| &guest.variables)?;
    Ok(linker)
}

struct Handler {
    engine: Engine,
    pre: ProxyPre<Guest>,
    given: Given,
    outbound: Arc<OutboundHttpSettings>,
    limiter: Arc<OutputLimiter>,
}

impl HandlerState for Handler {
    type StoreData = Guest;
    type WorkerExpiration = Endless;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Endless, Worker>> {
        let mut store = Store::new(&self.engine, Guest::new(self)?);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance { store, proxy, view: WasiHttpView::http, expiration: Endless, state: Worker })
    }
}

/// Instances live as long as the test.
struct Endless;

impl WorkerExpiration for Endless {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>, _: WorkerStatus, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

/// An instance takes any number of requests at once.
struct Worker;

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = Arc<str>;

    fn should_accept_request(&self, _concurrent: usize, _total: usize) -> ShouldAccept {
        ShouldAccept::Yes
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Guest>,
        request: Arc<str>,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        store.data_mut().requests.insert(task, request);
        Box::pin(tokio::time::sleep(Duration::from_secs(30)))
    }

    fn drop(&self, _: Store<Guest>, _: Result<(), wasmtime::Error>) {}
}
