//! A named component: which versions answer, and how work gets to them.

mod call;
pub mod contract;
mod export;
mod failure;
mod hold;
mod inbox;
mod instance;
mod job;
mod lot;
mod outcome;
mod pool;
mod room;
mod status;
mod tally;
mod underway;
mod version;
mod versions;
mod watch;
mod worker;

use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use http::{Method, request::Parts};
use http_body::Body;
use http_body_util::BodyExt;
use wasmtime::component::Val;
use wasmtime_wasi_http::{
    WasiBody,
    handler::{Request, Response},
};

pub use call::{CallContext, Guard};
pub use export::Export;
pub use failure::Failure;
pub use lot::{Lot, Share, ShareError};
pub use room::Room;
pub use status::PoolStatus;
pub use tally::{Count, Ended, Tally};
pub use version::{Furnish, Lane, Version};
pub use versions::{Trial, Versions};

use crate::{cores::current_lane, limits::ComponentLimits};
use job::{Answer, Job, Pending, Work};

/// A named component that can be asked to do things. Who asks does not notice which version answers.
pub struct Service {
    /// Its id in the manifest.
    pub id: Arc<str>,
    limits: ArcSwap<ComponentLimits>,
    versions: ArcSwapOption<Versions>,
    closed: AtomicBool,
    /// Versions that answer nothing new and may still have something to finish.
    former: Mutex<Vec<Weak<Version>>>,
    next_lane: AtomicUsize,
    tally: Tally,
}

/// An answer and who gave it.
pub struct Answered {
    /// The version that was asked, `None` where there was none.
    pub version: Option<Arc<Version>>,
    /// What came of it. The guard is to be held until the response's body has been sent.
    pub answer: Result<(Response, Guard), Failure>,
}

/// What is asked of a component, whichever version it will be.
enum Asked<'a> {
    Http(Box<Request>),
    Call { export: &'a Export, params: Vec<Val> },
}

impl Service {
    /// A service without a version, which answers nothing yet.
    pub fn new(id: Arc<str>, limits: ComponentLimits) -> Arc<Self> {
        Arc::new(Self {
            id,
            limits: ArcSwap::from_pointee(limits),
            versions: ArcSwapOption::empty(),
            closed: AtomicBool::new(false),
            former: Mutex::default(),
            next_lane: AtomicUsize::new(0),
            tally: Tally::default(),
        })
    }

    /// Its bounds.
    pub fn limits(&self) -> arc_swap::Guard<Arc<ComponentLimits>> {
        self.limits.load()
    }

    /// Changes its bounds, for what begins from now on.
    pub fn set_limits(&self, limits: ComponentLimits) {
        self.limits.store(Arc::new(limits));
    }

    /// Makes these the versions that answer from now on: requests, calls and events alike, in one step. Those that
    /// answer no more are returned, to be drained.
    pub fn switch(&self, versions: Versions) -> Vec<Arc<Version>> {
        let now: Vec<Arc<Version>> = versions.all().cloned().collect();
        let before = self.versions.swap(Some(Arc::new(versions)));
        let before = before.iter().flat_map(|before| before.all().cloned());
        let former: Vec<_> = before.filter(|version| !now.iter().any(|one| Arc::ptr_eq(one, version))).collect();
        let mut list = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|version| version.strong_count() > 0);
        list.extend(former.iter().map(Arc::downgrade));
        former
    }

    /// Answers nothing from now on; the versions that did are returned, to be drained.
    pub fn close(&self) -> Vec<Arc<Version>> {
        self.closed.store(true, Ordering::Release);
        self.versions.swap(None).iter().flat_map(|before| before.all().cloned()).collect()
    }

    /// The versions that answer.
    pub fn versions(&self) -> Option<Arc<Versions>> {
        self.versions.load_full()
    }

    /// The version that answers what no other is drawn for.
    pub fn active(&self) -> Option<Arc<Version>> {
        self.versions.load().as_ref().map(|versions| versions.active.clone())
    }

    /// The versions that answer nothing new and have not ended yet.
    pub fn draining(&self) -> Vec<Arc<Version>> {
        let former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        former.iter().filter_map(Weak::upgrade).collect()
    }

    /// Whether a request has an instance to itself for as long as its client takes.
    pub fn is_one_at_a_time(&self) -> bool {
        self.versions.load().as_ref().is_some_and(|versions| versions.active.one_at_a_time)
    }

    /// Whether so many instances are free, on this thread's core, that one may be left to a client that takes its time.
    pub fn has_room_to_spare(&self) -> bool {
        let active = self.active();
        let pool = active.as_ref().and_then(|version| version.pool(current_lane().unwrap_or_default()));
        pool.is_some_and(|pool| pool.has_room_to_spare())
    }

    /// What all its versions have done since the host started.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Serves a request.
    ///
    /// A request without a body that may be repeated gets one more try when another request took its instance down.
    pub async fn http(&self, request: Request, context: CallContext) -> Answered {
        let context = Arc::new(context);
        let again = repeatable(&request);
        let (mut version, mut answer) = self.ask(Asked::Http(Box::new(request)), &context, false).await;
        let lost = matches!(answer, Err(Failure::InstanceLost { .. }));
        if let Some(parts) = again.filter(|_| lost) {
            let request = http::Request::from_parts(parts, empty());
            (version, answer) = self.ask(Asked::Http(Box::new(request)), &context, true).await;
        }
        let answer = match answer {
            Ok((Answer::Http(response), guard)) => Ok((*response, guard)),
            Ok((Answer::Call(_), _)) => Err(self.no_export("wasi:http/handler")),
            Err(failure) => Err(failure),
        };
        Answered { version, answer }
    }

    /// Serves a request by one version, whether or not it answers others.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn http_of(
        &self,
        version: Arc<Version>,
        request: Request,
        context: CallContext,
    ) -> Result<(Response, Guard), Failure> {
        let deadline = context.deadline;
        let (job, pending) = Job::new(Work::Http(Box::new(request)), Arc::new(context), false);
        let pool = version.pool(0).ok_or_else(|| self.stopping())?;
        pool.submit(job).map_err(|(_, failure)| failure)?;
        match self.wait(pending, deadline).await? {
            (Answer::Http(response), guard) => Ok((*response, guard)),
            (Answer::Call(_), _) => Err(self.no_export("wasi:http/handler")),
        }
    }

    /// Calls an exported function.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn call(&self, export: &Export, params: Vec<Val>, context: CallContext) -> Result<Vec<Val>, Failure> {
        match self.ask(Asked::Call { export, params }, &Arc::new(context), false).await.1? {
            (Answer::Call(results), _) => Ok(results),
            (Answer::Http(_), _) => Err(self.no_export(export.name())),
        }
    }

    async fn ask(
        &self,
        asked: Asked<'_>,
        context: &Arc<CallContext>,
        alone: bool,
    ) -> (Option<Arc<Version>>, Result<(Answer, Guard), Failure>) {
        let began = Instant::now();
        let export = match &asked {
            Asked::Call { export, .. } => Some(*export),
            Asked::Http(_) => None,
        };
        let (version, pending) = match self.submit(asked, context, alone) {
            Ok((version, pending)) => (Some(version), Ok(pending)),
            Err(failure) => (self.pick(context.lot), Err(failure)),
        };
        let answer = match pending {
            Ok(pending) => self.wait(pending, context.deadline).await,
            Err(failure) => Err(failure),
        };
        let (ended, took) = (outcome::ended(export, &answer), began.elapsed());
        self.tally.note(ended, took);
        if let Some(version) = &version {
            version.tally.note(ended, took);
        }
        (version, answer)
    }

    /// Gives the work to a version that takes it. One that was replaced between the look and the hand-over hands it back.
    fn submit(
        &self,
        mut asked: Asked<'_>,
        context: &Arc<CallContext>,
        alone: bool,
    ) -> Result<(Arc<Version>, Pending), Failure> {
        let mut refused: Option<Arc<Version>> = None;
        loop {
            let version = self.pick(context.lot).ok_or_else(|| self.unserved())?;
            if refused.is_some_and(|refused| Arc::ptr_eq(&refused, &version)) {
                return Err(self.stopping());
            }
            let pool = version.pool(self.lane(&version)).ok_or_else(|| self.stopping())?;
            let export = match &asked {
                Asked::Call { export, .. } => Some(*export),
                Asked::Http(_) => None,
            };
            let work = match asked {
                Asked::Http(request) => Work::Http(request),
                Asked::Call { export, params } => {
                    let found = version.export(export).ok_or_else(|| self.no_export(export.name()))?;
                    Work::Call { export: found, params }
                }
            };
            let (job, pending) = Job::new(work, context.clone(), alone);
            match pool.submit(job) {
                Ok(()) => return Ok((version, pending)),
                Err((job, Failure::Stopping { .. })) => {
                    asked = match (job.work, export) {
                        (Work::Call { params, .. }, Some(export)) => Asked::Call { export, params },
                        (Work::Http(request), _) => Asked::Http(request),
                        (Work::Call { .. }, None) => return Err(self.stopping()),
                    };
                    refused = Some(version);
                }
                Err((_, failure)) => return Err(failure),
            }
        }
    }

    async fn wait(&self, pending: Pending, deadline: Instant) -> Result<(Answer, Guard), Failure> {
        match tokio::time::timeout_at(deadline.into(), pending.answer).await {
            Ok(Ok(answer)) => Ok((answer?, pending.guard)),
            Ok(Err(_)) => Err(Failure::InstanceLost { component: self.id.clone() }),
            // Nothing has happened and nothing will, so to come again can do no harm.
            Err(_) if pending.guard.give_up() => Err(Failure::NotBegun { component: self.id.clone() }),
            Err(_) => Err(Failure::DeadlineExceeded { component: self.id.clone() }),
        }
    }

    fn pick(&self, lot: Lot) -> Option<Arc<Version>> {
        self.versions.load().as_ref().map(|versions| versions.pick(lot).clone())
    }

    /// The lane of this thread, so that the work stays on it; from any other thread, each lane in turn.
    fn lane(&self, version: &Version) -> usize {
        match current_lane() {
            Some(lane) => lane,
            None if version.lanes() > 1 => self.next_lane.fetch_add(1, Ordering::Relaxed),
            None => 0,
        }
    }

    fn no_export(&self, export: &str) -> Failure {
        Failure::NoExport { component: self.id.clone(), export: export.to_owned() }
    }

    /// Why no version answers.
    fn unserved(&self) -> Failure {
        if self.closed.load(Ordering::Acquire) {
            return self.stopping();
        }
        Failure::Unserved { component: self.id.clone() }
    }

    fn stopping(&self) -> Failure {
        Failure::Stopping { component: self.id.clone() }
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
