//! Every bound of the host, named, in one place.
//!
//! [`HostLimits`] hold for the whole process and are set by flags or the environment; [`ComponentLimits`] hold for
//! one component and are set in its `[component.<id>.tool.plaza] limits` table.

use std::time::Duration;

/// How often the epoch advances: the longest slice a guest computes before it yields its thread.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// A turn of a guest that took this long ended because the epoch did; other tasks of the thread come first then.
pub const LONG_TURN: Duration = Duration::from_millis(5);

/// How long a request whose client has gone away may go on, so that what is nearly done gets done.
pub const ABANDONED_GRACE: Duration = Duration::from_secs(1);

/// How long an instance that overran its deadline may take to notice before its store is dropped.
pub const OVERRUN_GRACE: Duration = Duration::from_millis(250);

/// How long an instance without work is kept.
pub const IDLE_INSTANCE: Duration = Duration::from_secs(30);

/// Turns of its thread that an answer's head waits for the body, so that both leave together. Every other task that is
/// ready runs in between; nobody waits for time to pass.
pub const GATHER_TURNS: usize = 4;

/// What `Retry-After` says when a queue is full, in seconds.
pub const RETRY_AFTER_SECONDS: u32 = 1;

/// The longest line of guest output that becomes one log line; the rest of the line follows in further ones.
pub const LOG_LINE_BYTES: usize = 8 * 1024;

/// How much guest output is logged for one component in a second; what is beyond it is counted and dropped.
pub const LOG_BYTES_PER_SECOND: usize = 256 * 1024;

/// Log lines waiting to be written; beyond it they are lost, and counted.
pub const LOG_QUEUE_LINES: usize = 16 * 1024;

/// How long a guest's outgoing request waits for its connection where the guest sets no time of its own.
pub const OUTBOUND_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a guest's outgoing request waits for the answer's head, and then for each next piece of its body, where
/// the guest sets no time of its own.
pub const OUTBOUND_READ_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection that a guest's requests used is kept for the next one.
pub const OUTBOUND_IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// Idle connections kept for each address a component calls.
pub const OUTBOUND_IDLE_CONNECTIONS: usize = 32;

/// Outgoing requests of one component under way at once on one core; beyond it they wait.
pub const OUTBOUND_REQUESTS: usize = 256;

/// How many components a chain of link calls may have.
pub const CALL_DEPTH: usize = 16;

/// Bounds of the whole process.
#[derive(Debug, Clone)]
pub struct HostLimits {
    /// Threads that serve requests, each with its own workers.
    pub cores: usize,
    /// Open client connections; beyond it new ones wait in the kernel's backlog.
    pub connections: usize,
    /// Bytes of a request's head.
    pub header_bytes: usize,
    /// Time a client may take to send a request's head.
    pub header_timeout: Duration,
    /// Time a connection may stand idle between requests, and a client may leave its answer unread.
    pub idle_timeout: Duration,
    /// Time that requests in flight get to finish at shutdown.
    pub shutdown_timeout: Duration,
    /// Instances of all components together, which bounds the process's reserved address space.
    pub total_instances: u32,
}

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            connections: 10_000,
            header_bytes: 64 * 1024,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            shutdown_timeout: Duration::from_secs(10),
            total_instances: 1_000,
        }
    }
}

/// Which threads a component's instances run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threads {
    /// The threads that serve requests.
    #[default]
    Shared,
    /// Low-priority threads of their own, for work that computes long.
    Background,
}

/// Bounds of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentLimits {
    /// Linear memory of one instance, in MiB.
    pub memory_mib: u32,
    /// Time for one request, call, event or tick, in milliseconds.
    pub request_ms: u64,
    /// Bytes of a request's body.
    pub body_bytes: u64,
    /// Instances alive at once on one core.
    pub instances: usize,
    /// Requests under way at once in one instance. Components of WASI 0.2 always take one.
    pub concurrent_per_instance: usize,
    /// Requests waiting for an instance on one core; beyond it the answer is 503.
    pub queue: usize,
    /// Requests an instance takes before a fresh one replaces it.
    pub reuse: usize,
    /// Database connections of this component for all cores together.
    pub database_connections: u32,
    /// Bytes of one query's rows held in the host at once.
    pub query_bytes: usize,
    /// Where it runs.
    pub threads: Threads,
}

impl Default for ComponentLimits {
    fn default() -> Self {
        Self {
            memory_mib: 128,
            request_ms: 30_000,
            body_bytes: 1024 * 1024,
            instances: 8,
            concurrent_per_instance: 16,
            queue: 1024,
            reuse: 10_000,
            database_connections: 16,
            query_bytes: 16 * 1024 * 1024,
            threads: Threads::Shared,
        }
    }
}

impl ComponentLimits {
    /// The time for one request.
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }
}
