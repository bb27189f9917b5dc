//! What guests print is logged under the request that printed it, although one instance serves many at once.
//!
//! Needs the guest `hello`: cargo build --release --target wasm32-wasip2 -p hello -p old-world

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use plaza::capability::{
    stdio::{self, CurrentRequest, GuestOutput, Origin, OutputKind, OutputLimiter, StdioView},
    variables::{self, VariablesContext},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};
use wasmtime::{
    Config, Engine, Store, StoreContextMut,
    component::{Component, GuestTaskId, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, cli::WasiCliView};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    handler::{
        HandlerState, Instance, ProxyHandler, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
    },
    p3::bindings::ServicePre,
};

/// What a store holds in this test.
struct Guest {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: NoHooks,
    variables: VariablesContext,
    current: CurrentRequest,
    requests: HashMap<GuestTaskId, Arc<str>>,
}

struct NoHooks;

impl WasiHttpHooks for NoHooks {}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.hooks }
    }
}

impl Guest {
    fn new(limiter: &Arc<OutputLimiter>) -> Self {
        let current = CurrentRequest::default();
        let origin = Origin { component: "hello".into(), version: "1".into() };
        let output = |kind| GuestOutput::new(origin.clone(), kind, limiter.clone(), current.clone());
        let wasi =
            WasiCtxBuilder::new().stdout(output(OutputKind::Stdout)).stderr(output(OutputKind::Stderr)).build();
        Self {
            table: ResourceTable::new(),
            wasi,
            http: WasiHttpCtx::new(),
            hooks: NoHooks,
            variables: VariablesContext::new(Arc::new(BTreeMap::new())),
            current,
            requests: HashMap::new(),
        }
    }

    fn stdio(&mut self) -> StdioView<'_> {
        StdioView { table: &mut self.table, current: &self.current, requests: &self.requests }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    stdio::add_to_linker(&mut linker, Guest::stdio, WasiCliView::cli)?;
    variables::add_to_linker(&mut linker, |guest: &mut Guest| &guest.variables)?;
    Ok(linker)
}

/// Instances that take any number of requests at once and live as long as the test.
struct Endless;

impl WorkerExpiration for Endless {
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>, _: WorkerStatus, _: Instant) -> Poll<()> {
        Poll::Pending
    }
}

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

struct Hello {
    engine: Engine,
    pre: ProxyPre<Guest>,
    limiter: Arc<OutputLimiter>,
}

impl HandlerState for Hello {
    type StoreData = Guest;
    type WorkerExpiration = Endless;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Endless, Worker>> {
        let mut store = Store::new(&self.engine, Guest::new(&self.limiter));
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance { store, proxy, view: WasiHttpView::http, expiration: Endless, state: Worker })
    }
}

fn hello() -> wasmtime::Result<ProxyHandler<Hello>> {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config)?;
    let component = Component::from_file(&engine, guest("hello"))?;
    let pre = ProxyPre::P3(ServicePre::new(linker(&engine)?.instantiate_pre(&component)?)?);
    Ok(ProxyHandler::new(Hello { engine, pre, limiter: Arc::default() }))
}

/// The guest's file, in the target folder that this test was built into.
fn guest(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(3).unwrap();
    let file = target.join(format!("wasm32-wasip2/release/{}.wasm", name.replace('-', "_")));
    assert!(file.exists(), "build the guest first: cargo build --release --target wasm32-wasip2 -p {name}");
    file
}

/// Collects `(request.id, message, stream)` of the target `guest`.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<Line>>>);

#[derive(Default, Clone)]
struct Line {
    request: String,
    message: String,
    stream: String,
}

impl Subscriber for Collected {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "guest"
    }
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "request.id" => self.request = value.to_owned(),
            "stream" => self.stream = value.to_owned(),
            _ => {}
        }
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

#[test]
fn lines_are_logged_under_the_request_that_printed_them() {
    let collected = Collected::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(collected.clone(), || {
        runtime.block_on(async {
            let handler = hello().unwrap();
            let requests = (0..50).map(|number| {
                let body = Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
                let request = Request::get(format!("http://host/print?line=id-{number}")).body(body).unwrap();
                let handler = handler.clone();
                async move {
                    let response = handler.handle(format!("id-{number}").into(), request).await.unwrap();
                    response.into_body().collect().await.unwrap().to_bytes()
                }
            });
            let answers = futures::future::join_all(requests).await;
            assert_eq!(&answers[49][..], b"id-49");
        });
    });
    let lines = collected.0.lock().unwrap();
    for line in lines.iter() {
        assert_eq!(line.request, line.message, "{} line", line.stream);
    }
    let of = |stream| lines.iter().filter(|line| line.stream == stream).count();
    assert_eq!((of("stdout"), of("stderr")), (50, 50));
}

#[test]
fn a_component_of_wasi_0_2_links() {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    let engine = Engine::new(&config).unwrap();
    let component = Component::from_file(&engine, guest("old-world")).unwrap();
    linker(&engine).unwrap().instantiate_pre(&component).unwrap();
}
