//! A piece of work for an instance, and the answer to it.

use std::sync::Arc;

use tokio::sync::oneshot;
use wasmtime::component::Val;
use wasmtime_wasi_http::handler::{Request, Response};

use super::{
    call::{CallContext, Guard, Presence},
    failure::Failure,
};

/// What an instance is asked to do.
pub enum Work {
    /// Serve an HTTP request.
    Http(Box<Request>),
    /// Call an export.
    Call {
        /// Which of the version's exports.
        export: usize,
        /// Its arguments.
        params: Vec<Val>,
    },
}

/// What came of it.
pub enum Answer {
    /// The response's head; its body may still be on its way.
    Http(Box<Response>),
    /// The call's results.
    Call(Vec<Val>),
}

/// A piece of work on its way to an instance.
pub struct Job {
    /// What to do.
    pub work: Work,
    /// On whose behalf.
    pub context: Arc<CallContext>,
    /// Whether it must have an instance of its own.
    pub alone: bool,
    pub(super) presence: Arc<Presence>,
    pub(super) reply: Reply,
}

/// Where the answer goes.
pub type Reply = oneshot::Sender<Result<Answer, Failure>>;

/// The waiting side of a [`Job`].
pub struct Pending {
    /// To be held as long as the answer, its body included, is wanted.
    pub guard: Guard,
    /// The answer.
    pub answer: oneshot::Receiver<Result<Answer, Failure>>,
}

impl Job {
    /// A job and what its submitter holds on to.
    pub fn new(work: Work, context: Arc<CallContext>, alone: bool) -> (Self, Pending) {
        let (guard, presence) = Presence::new();
        let (reply, answer) = oneshot::channel();
        (Self { work, context, alone, presence, reply }, Pending { guard, answer })
    }

    /// Whether anybody still waits for the answer.
    pub fn is_wanted(&self) -> bool {
        self.presence.gone_for_ms().is_none()
    }
}
