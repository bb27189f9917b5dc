//! Why a request or call got no answer from its component.

use std::sync::Arc;

/// Why there is no answer. Cloned to each request that one fault ended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Every instance is busy and the queue is full.
    #[error("{component} is at its limit of {waiting} waiting requests")]
    Overloaded {
        /// Which component.
        component: Arc<str>,
        /// How many wait.
        waiting: usize,
    },
    /// The time for the request was over before an instance was free for it.
    #[error("{component} had no instance free in time")]
    NotBegun {
        /// Which component.
        component: Arc<str>,
    },
    /// The time for the request was over.
    #[error("{component} did not answer in time")]
    DeadlineExceeded {
        /// Which component.
        component: Arc<str>,
    },
    /// The guest trapped while it served this request alone.
    #[error("{component} trapped: {error:#}")]
    Trapped {
        /// Which component.
        component: Arc<str>,
        /// The trap, with the guest's backtrace.
        error: Arc<wasmtime::Error>,
    },
    /// The instance ended for the sake of another request in it.
    #[error("{component} lost the instance that served this request")]
    InstanceLost {
        /// Which component.
        component: Arc<str>,
    },
    /// No instance could be made.
    #[error("{component} cannot be instantiated: {error:#}")]
    Instantiation {
        /// Which component.
        component: Arc<str>,
        /// Why not.
        error: Arc<wasmtime::Error>,
    },
    /// The guest answered with an error of `wasi:http` instead of a response.
    #[error("{component} answered with an error: {error:#}")]
    Refused {
        /// Which component.
        component: Arc<str>,
        /// What the guest said.
        error: Arc<wasmtime::Error>,
    },
    /// The component has no such export.
    #[error("{component} does not export {export}")]
    NoExport {
        /// Which component.
        component: Arc<str>,
        /// `interface#function`, or `wasi:http/handler`.
        export: String,
    },
    /// The call would wait for itself.
    #[error("a call cycle: {path}")]
    Cycle {
        /// The chain of components.
        path: String,
    },
    /// The version that should answer cannot be served here.
    #[error("no version of {component} is served here; `plaza status` says why")]
    Unserved {
        /// Which component.
        component: Arc<str>,
    },
    /// The component is not running: it is draining at shutdown.
    #[error("{component} is shutting down")]
    Stopping {
        /// Which component.
        component: Arc<str>,
    },
}

impl Failure {
    /// A word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Overloaded { .. } => "overloaded",
            Self::NotBegun { .. } => "not_begun",
            Self::DeadlineExceeded { .. } => "deadline",
            Self::Trapped { .. } => "trap",
            Self::InstanceLost { .. } => "instance_lost",
            Self::Instantiation { .. } => "instantiation",
            Self::Refused { .. } => "guest_error",
            Self::NoExport { .. } => "no_export",
            Self::Cycle { .. } => "cycle",
            Self::Unserved { .. } => "unserved",
            Self::Stopping { .. } => "stopping",
        }
    }
}
