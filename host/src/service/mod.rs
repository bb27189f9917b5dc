//! A named component: which version is active, and how work gets to it.

mod call;
pub mod contract;
mod failure;
mod instance;
mod job;
mod pool;
mod underway;
mod version;
mod watch;
mod worker;

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use arc_swap::ArcSwapOption;
use http::{Method, request::Parts};
use http_body::Body;
use http_body_util::BodyExt;
use wasmtime::component::Val;
use wasmtime_wasi_http::{
    WasiBody,
    handler::{Request, Response},
};

pub use call::{CallContext, Guard};
pub use failure::Failure;
pub use pool::PoolStatus;
pub use version::{Furnish, Lane, Version};

use crate::{
    cores::current_lane,
    limits::{ComponentLimits, Threads},
};
use job::{Answer, Job, Work};

/// A named component that can be asked to do things. Who asks does not notice which version answers.
pub struct Service {
    /// Its id in the manifest.
    pub id: Arc<str>,
    /// Its bounds.
    pub limits: ComponentLimits,
    active: ArcSwapOption<Version>,
    next_lane: AtomicUsize,
    lanes: usize,
    counters: Counters,
}

/// What a service has done since it started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests and calls that were answered.
    pub answered: AtomicU64,
    /// Requests and calls that ended in a [`Failure`].
    pub failed: AtomicU64,
}

impl Service {
    /// A service without a version, which answers nothing yet.
    pub fn new(id: Arc<str>, limits: ComponentLimits, lanes: usize) -> Arc<Self> {
        let active = ArcSwapOption::empty();
        Arc::new(Self { id, limits, active, next_lane: AtomicUsize::new(0), lanes, counters: Counters::default() })
    }

    /// Makes a version the one that answers from now on, and returns the one before.
    pub fn activate(&self, version: Arc<Version>) -> Option<Arc<Version>> {
        self.active.swap(Some(version))
    }

    /// The version that answers.
    pub fn active(&self) -> Option<Arc<Version>> {
        self.active.load_full()
    }

    /// What it has done.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Serves a request. The guard is to be held until the response's body has been sent.
    ///
    /// A request without a body that may be repeated gets one more try when another request took its instance down.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn http(&self, request: Request, context: CallContext) -> Result<(Response, Guard), Failure> {
        let context = Arc::new(context);
        let again = repeatable(&request);
        let answer = self.ask(Work::Http(Box::new(request)), context.clone(), false).await;
        let answer = match (answer, again) {
            (Err(Failure::InstanceLost { .. }), Some(parts)) => {
                let request = http::Request::from_parts(parts, empty());
                self.ask(Work::Http(Box::new(request)), context, true).await
            }
            (answer, _) => answer,
        };
        match answer? {
            (Answer::Http(response), guard) => Ok((*response, guard)),
            (Answer::Call(_), _) => Err(self.no_export("wasi:http/handler".into())),
        }
    }

    /// Calls `function` of the exported `interface`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn call(
        &self,
        interface: &str,
        function: &str,
        params: Vec<Val>,
        context: CallContext,
    ) -> Result<Vec<Val>, Failure> {
        let export = self.active.load().as_ref().and_then(|version| version.export(interface, function));
        let Some(export) = export else {
            return Err(self.no_export(format!("{interface}#{function}")));
        };
        match self.ask(Work::Call { export, params }, Arc::new(context), false).await? {
            (Answer::Call(results), _) => Ok(results),
            (Answer::Http(_), _) => Err(self.no_export(format!("{interface}#{function}"))),
        }
    }

    async fn ask(&self, work: Work, context: Arc<CallContext>, alone: bool) -> Result<(Answer, Guard), Failure> {
        let answer = self.ask_uncounted(work, context, alone).await;
        let counter = if answer.is_ok() { &self.counters.answered } else { &self.counters.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        answer
    }

    async fn ask_uncounted(
        &self,
        work: Work,
        context: Arc<CallContext>,
        alone: bool,
    ) -> Result<(Answer, Guard), Failure> {
        let component = || self.id.clone();
        let deadline = context.deadline;
        let (job, pending) = Job::new(work, context, alone);
        {
            let version = self.active.load();
            let pool = version.as_ref().and_then(|version| version.pool(self.lane()));
            let Some(pool) = pool else { return Err(Failure::Stopping { component: component() }) };
            pool.submit(job).map_err(|(_, failure)| failure)?;
        }
        match tokio::time::timeout_at(deadline.into(), pending.answer).await {
            Ok(Ok(answer)) => Ok((answer?, pending.guard)),
            Ok(Err(_)) => Err(Failure::InstanceLost { component: component() }),
            Err(_) => Err(Failure::DeadlineExceeded { component: component() }),
        }
    }

    /// The lane of this thread, so that the work stays on it; from any other thread, each lane in turn.
    fn lane(&self) -> usize {
        match (self.limits.threads, current_lane()) {
            (Threads::Background, _) => 0,
            (Threads::Shared, Some(lane)) => lane,
            (Threads::Shared, None) => self.next_lane.fetch_add(1, Ordering::Relaxed) % self.lanes.max(1),
        }
    }

    fn no_export(&self, export: String) -> Failure {
        Failure::NoExport { component: self.id.clone(), export }
    }
}

/// What is needed to send the request once more, if that has no further effect (RFC 9110, 9.2.1).
fn repeatable(request: &Request) -> Option<Parts> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !safe || !request.body().is_end_stream() {
        return None;
    }
    let mut again = http::Request::new(());
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    Some(again.into_parts().0)
}

/// A body of no bytes.
pub fn empty() -> WasiBody {
    http_body_util::Empty::new().map_err(|never: std::convert::Infallible| match never {}).boxed_unsync()
}
