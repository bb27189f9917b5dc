//! One instance at work: it takes jobs from its channel until it has taken enough, stands idle, traps or gets stuck.
//!
//! Two loops drive it. The inner one runs inside the store's event loop and takes and finishes jobs. A guest that
//! computes without end, or that waits in a call which holds the store, stops that loop; so the outer one, which
//! wasmtime gives a turn at every epoch, watches for jobs that nobody waits for any more and that are not let go, and
//! gives those that are not taken up to other instances.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
};

use futures::{FutureExt, StreamExt, channel::oneshot, stream::FuturesUnordered};
use tokio::time::{Instant, sleep, timeout};
use wasmtime::{
    AsContextMut,
    component::{Accessor, GuestTaskId, Val},
};
use wasmtime_wasi_http::{
    WasiHttpView,
    handler::{Prepared, Proxy, Request, Response},
};

use super::{
    call::{CallContext, Presence},
    failure::Failure,
    inbox::Inbox,
    instance::{Function, Instance},
    job::{Answer, Job, Work},
    pool::{Made, Pool},
    underway::Underway,
    watch::Watch,
};
use crate::{
    guest::{Guest, Sender},
    limits::{ABANDONED_GRACE, IDLE_INSTANCE},
};

/// Makes an instance and works until it ends.
pub(super) async fn run(pool: Arc<Pool>, id: u64, inbox: Inbox) {
    // The pool must hear of the end even if this task is dropped or panics.
    let mut ended = Ended { pool: pool.clone(), id: Some(id) };
    let place = pool.room.enter();
    let error = match pool.make().await {
        // The place is given up last, when the instance is gone.
        Ok(instance) => return work(&pool, id, instance, &inbox).await,
        Err(error) => error,
    };
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        ended.id = None;
        if let Err(jobs) = pool.found_no_room(id, inbox.drain(), place) {
            fail(&pool, jobs, error);
        }
        return;
    }
    pool.retire(id);
    fail(&pool, inbox.drain(), error);
}

/// Works with an instance that was made ahead.
pub(super) async fn run_made(pool: Arc<Pool>, id: u64, made: Made, inbox: Inbox) {
    let _ended = Ended { pool: pool.clone(), id: Some(id) };
    let Made { instance, place: _place } = made;
    work(&pool, id, instance, &inbox).await;
}

/// Tells the pool of the end of its worker, once.
struct Ended {
    pool: Arc<Pool>,
    id: Option<u64>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.pool.ended(id);
        }
    }
}

fn fail(pool: &Pool, jobs: Vec<Job>, error: wasmtime::Error) {
    let component = pool.component.clone();
    tracing::error!(component = %pool.component, version = %pool.version, error = ?error, "an instance cannot be made");
    let failure = Failure::Instantiation { component, error: Arc::new(error) };
    for job in jobs {
        _ = job.reply.send(Err(failure.clone()));
    }
}

async fn work(pool: &Arc<Pool>, id: u64, mut instance: Instance, inbox: &Inbox) {
    let underway = Arc::new(Underway::default());
    // Dropped before the instance, even if this task is aborted or panics.
    let mut cut_off = CutOff { underway: &underway, sender: instance.store.data().sender(), is_in_order: false };
    let ending = {
        let Instance { store, proxy, functions, stops, time_is_over } = &mut instance;
        let turns = AtomicUsize::new(0);
        let sender = &cut_off.sender;
        let desk = Desk { pool, id, proxy: proxy.as_ref(), functions, underway: &underway, sender };
        let inner = store.run_concurrent(async |accessor| {
            let mut serving = pin!(desk.serve(accessor, inbox));
            poll_fn(|context| {
                turns.fetch_add(1, Ordering::Relaxed);
                serving.as_mut().poll(context)
            })
            .await
        });
        // Whoever waits for the guest is told at the deadline that it is late.
        let patience = pool.limits.request_time() + ABANDONED_GRACE;
        let watch = Watch { underway: &underway, inbox, turns: &turns, stops, time_is_over, patience };
        watch.over(inner.map(|ran| ran.and_then(|served| served))).await
    };
    match ending {
        Ok(()) => cut_off.is_in_order = true,
        Err(error) => report(pool, &underway, error, instance.store.data().memory.refused_bytes),
    }
    drop(cut_off);
    drop(instance);
    pool.retire(id);
    inbox.close();
}

/// Tells whoever is in the middle of an answer that the instance ends, and whoever is in the middle of a request that it sends.
struct CutOff<'a> {
    underway: &'a Underway,
    sender: Sender,
    /// What it sends has ended as well then.
    is_in_order: bool,
}

impl Drop for CutOff<'_> {
    fn drop(&mut self) {
        self.underway.end();
        if !self.is_in_order {
            self.sender.cut_off();
        }
    }
}

/// Logs what ended an instance before its time, once, and tells everybody who waits for it.
fn report(pool: &Pool, underway: &Underway, error: wasmtime::Error, refused_bytes: Option<usize>) {
    let cut = underway.end();
    let requests: Vec<&str> = cut.iter().map(|job| &*job.context.request_id).collect();
    tracing::error!(
        component = %pool.component,
        version = %pool.version,
        request.ids = requests.join(" "),
        memory.refused_bytes = refused_bytes,
        error = ?error,
        "an instance ended before its time",
    );
    let component = pool.component.clone();
    let failure = if cut.len() == 1 {
        Failure::Trapped { component, error: Arc::new(error) }
    } else {
        Failure::InstanceLost { component }
    };
    for reply in cut.into_iter().filter_map(|job| job.reply) {
        _ = reply.send(Err(failure.clone()));
    }
}

/// What the inner loop works with.
struct Desk<'a> {
    pool: &'a Arc<Pool>,
    id: u64,
    proxy: Option<&'a Proxy>,
    functions: &'a [Function],
    underway: &'a Arc<Underway>,
    sender: &'a Sender,
}

/// How a job left its instance.
enum Left {
    /// It is done, body and all.
    Done,
    /// Nobody waits for it, but the guest goes on; only dropping the store ends that.
    Overdue,
}

impl Desk<'_> {
    async fn serve(&self, accessor: &Accessor<Guest>, inbox: &Inbox) -> wasmtime::Result<()> {
        let mut taken = FuturesUnordered::new();
        let mut open = true;
        let mut doomed = false;
        let mut idle = pin!(sleep(IDLE_INSTANCE));
        while open || !taken.is_empty() {
            tokio::select! {
                biased;
                Some(left) = taken.next(), if !taken.is_empty() => match left? {
                    Left::Done => {}
                    Left::Overdue => doomed = true,
                },
                job = poll_fn(|context| inbox.poll_next(context)), if open => match job {
                    Some(job) => {
                        if taken.is_empty() && idle.deadline() < Instant::now() + IDLE_INSTANCE / 2 {
                            idle.as_mut().reset(Instant::now() + IDLE_INSTANCE);
                        }
                        taken.push(self.take(accessor, job));
                    }
                    None => open = false,
                },
                // Nothing is to be done here, and others cannot begin for want of an instance.
                () = self.pool.room.wanted(), if open && taken.is_empty() => self.pool.retire(self.id),
                () = idle.as_mut(), if open => {
                    if taken.is_empty() {
                        self.pool.retire(self.id);
                    }
                    idle.as_mut().reset(Instant::now() + IDLE_INSTANCE);
                }
            }
        }
        let rest = poll_fn(|context| accessor.poll_no_interesting_tasks(context));
        if doomed || timeout(self.pool.limits.request_time(), rest).await.is_err() {
            self.sender.cut_off();
        }
        Ok(())
    }

    async fn take(&self, accessor: &Accessor<Guest>, job: Job) -> wasmtime::Result<Left> {
        let Job { work, context, presence, reply, .. } = job;
        if !presence.begin() {
            self.pool.finished(self.id);
            return Ok(Left::Done);
        }
        let key = self.underway.add(context.clone(), presence.clone(), reply);
        let _running = self.pool.count_running();
        let streams = matches!(work, Work::Http(_));
        let request_id = context.request_id.clone();
        let ended = match work {
            Work::Http(request) => self.http(accessor, key, *request, context, &presence).await,
            Work::Call { export, params } => self.call(accessor, key, export, &params, context, &presence).await,
        };
        let (task, left) = ended?;
        match left {
            Left::Overdue => {
                self.pool.retire(self.id);
                tracing::warn!(
                    component = %self.pool.component,
                    version = %self.pool.version,
                    request.id = &*request_id,
                    "a guest was given up: it waits on for something, and nobody for its answer any more",
                );
            }
            // The guest may still be writing the response's body, and keeps its place until it has been sent.
            Left::Done if streams => presence.gone().await,
            Left::Done => {}
        }
        self.pool.finished(self.id);
        self.underway.remove(key);
        if let Some(task) = task {
            let goes_on = accessor.poll_no_interesting_tasks(&mut Context::from_waker(Waker::noop())).is_pending();
            accessor.with(|mut access| access.data_mut().requests.leave(task, goes_on));
        }
        Ok(left)
    }

    async fn http(
        &self,
        accessor: &Accessor<Guest>,
        key: u64,
        request: Request,
        context: Arc<CallContext>,
        presence: &Presence,
    ) -> wasmtime::Result<(Option<GuestTaskId>, Left)> {
        let Some(proxy) = self.proxy else {
            self.underway.answer(key, Err(self.no_export("wasi:http/handler")));
            return Ok((None, Left::Done));
        };
        let (sender, receiver) = oneshot::channel();
        let (prepared, task) = accessor.with(|mut access| {
            let prepared = Prepared::new(access.as_context_mut(), proxy, request, Guest::http, sender)?;
            let task = task_of(&prepared);
            access.data_mut().requests.enter(task, context);
            wasmtime::error::Ok((prepared, task))
        })?;
        let pass_on = PassOn { component: self.pool.component.clone(), underway: self.underway.clone(), key };
        let sent = match proxy {
            Proxy::P3(_) => {
                let sent = prepared.run(accessor, overdue(presence)).await;
                pass_on.when(receiver).await?;
                sent
            }
            Proxy::P2(_) => {
                // The response comes before the handler returns, which then waits, holding the store, until its body
                // is read: a task outside of the store has to pass the response on.
                let passing_on = tokio::spawn(pass_on.when(receiver));
                let sent = prepared.run(accessor, overdue(presence)).await;
                passing_on.await??;
                sent
            }
        };
        Ok((Some(task), if sent? { Left::Done } else { Left::Overdue }))
    }

    async fn call(
        &self,
        accessor: &Accessor<Guest>,
        key: u64,
        export: usize,
        params: &[Val],
        context: Arc<CallContext>,
        presence: &Presence,
    ) -> wasmtime::Result<(Option<GuestTaskId>, Left)> {
        let Some(Function { export: function, results }) = self.functions.get(export) else {
            self.underway.answer(key, Err(self.no_export("the function that was called")));
            return Ok((None, Left::Done));
        };
        let mut results = vec![Val::Bool(false); *results];
        let (call, task) = accessor.with(|mut access| {
            let call = function.start_call_concurrent(access.as_context_mut(), params, &mut results)?;
            let task = call.task();
            access.data_mut().requests.enter(task, context);
            wasmtime::error::Ok((call, task))
        })?;
        let finished = {
            let finish = pin!(function.finish_call_concurrent(accessor, call));
            let overdue = pin!(overdue(presence));
            match futures::future::select(finish, overdue).await {
                futures::future::Either::Left((finished, _)) => Some(finished),
                futures::future::Either::Right(((), _)) => None,
            }
        };
        match finished {
            Some(finished) => {
                finished?;
                self.underway.answer(key, Ok(Answer::Call(results)));
                Ok((Some(task), Left::Done))
            }
            None => Ok((Some(task), Left::Overdue)),
        }
    }

    fn no_export(&self, export: &str) -> Failure {
        Failure::NoExport { component: self.pool.component.clone(), export: export.to_owned() }
    }
}

/// Passes a response on to whoever waits for it.
struct PassOn {
    component: Arc<str>,
    underway: Arc<Underway>,
    key: u64,
}

impl PassOn {
    /// Passes it on when it comes. A trap is not passed on but returned, for it ends the instance.
    async fn when(self, response: oneshot::Receiver<wasmtime::Result<Response>>) -> wasmtime::Result<()> {
        let answer = match response.await {
            Ok(Ok(response)) => Ok(Answer::Http(Box::new(response))),
            Ok(Err(error)) if is_guest_error(&error) => {
                Err(Failure::Refused { component: self.component, error: Arc::new(error) })
            }
            Ok(Err(error)) if error.is::<wasmtime_wasi_http::handler::ExpirationError>() => return Ok(()),
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(()),
        };
        self.underway.answer(self.key, answer);
        Ok(())
    }
}

fn is_guest_error(error: &wasmtime::Error) -> bool {
    use wasmtime_wasi_http::{p2, p3};
    error.is::<p3::bindings::http::types::ErrorCode>() || error.is::<p2::bindings::http::types::ErrorCode>()
}

fn task_of(prepared: &Prepared<'_, Guest>) -> GuestTaskId {
    match prepared {
        Prepared::P2 { call, .. } => call.task(),
        Prepared::P3 { call, .. } => call.task(),
    }
}

/// Returns once nobody has waited for the job for a while.
async fn overdue(presence: &Presence) {
    presence.gone().await;
    sleep(ABANDONED_GRACE).await;
}
