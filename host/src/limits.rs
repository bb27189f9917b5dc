//! Every bound of the host on what clients, guests and their events can make grow, named, in one place.
//!
//! [`HostLimits`] hold for the whole process and are set by flags or the environment; [`ComponentLimits`] hold for
//! one component and are set in its `[component.<id>.tool.plaza] limits` table. How patient the host is with its own database,
//! brokers and other hosts, and how often it looks, stands where it does so.

mod registry;

use std::time::Duration;

pub use self::registry::*;

/// How often the epoch advances: the longest slice a guest computes before it yields its thread.
pub const EPOCH_TICK: Duration = Duration::from_millis(10);

/// A turn of a guest that took this long ended because the epoch did; other tasks of the thread come first then.
pub const LONG_TURN: Duration = Duration::from_millis(5);

/// How long a guest may keep its instance from everything else, by computing or in a call that holds it, before requests
/// that wait for it go to other instances. Two epochs: the end of one says nothing yet.
pub const HELD_UP: Duration = Duration::from_millis(20);

/// How long a request whose client has gone away may go on, so that what is nearly done gets done.
pub const ABANDONED_GRACE: Duration = Duration::from_secs(1);

/// How long an instance that overran its deadline may take to notice before its store is dropped.
pub const OVERRUN_GRACE: Duration = Duration::from_millis(250);

/// How long an instance without work is kept.
pub const IDLE_INSTANCE: Duration = Duration::from_secs(30);

/// Bytes of a request's body that are waited for before the request takes an instance for itself, as those for components
/// of WASI 0.2 do: a client that is slow with a small body then holds nothing but its connection.
pub const BODY_BEFOREHAND_BYTES: usize = 64 * 1024;

/// A client that sends nothing of its body for so long may be waiting for an answer to what it has sent.
pub const BODY_PAUSE: Duration = Duration::from_millis(50);

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

/// Outgoing requests of one component under way at once on one core, those within the application among them; beyond it they wait.
pub const OUTBOUND_REQUESTS: usize = 256;

/// Bytes of one key of a key-value store.
pub const KEY_VALUE_KEY_BYTES: usize = 4 * 1024;

/// Bytes of one value of a key-value store.
pub const KEY_VALUE_VALUE_BYTES: usize = 16 * 1024 * 1024;

/// Keys that one call may name, and that one page of a list of keys has.
pub const KEY_VALUE_KEYS_AT_ONCE: usize = 1_000;

/// Key-value stores, and values to be swapped, that one instance may hold open.
pub const KEY_VALUE_OPEN_HANDLES: usize = 256;

/// Connections to the Redis server of one key-value store, at most; further calls wait.
pub const KEY_VALUE_REDIS_CONNECTIONS: usize = 16;

/// How long what a call asks of a store on a server may take.
pub const KEY_VALUE_TIME: Duration = Duration::from_secs(5);

/// Bytes of one file of SQLite, be it of key-value stores or a database; what would make it larger fails.
pub const SQLITE_FILE_BYTES: i64 = 4 * 1024 * 1024 * 1024;

/// Connections to SQLite databases that one instance may hold open.
pub const SQLITE_OPEN_CONNECTIONS: usize = 16;

/// Statements that work on one SQLite database at once; further ones wait, but those of a transaction that has begun.
pub const SQLITE_STATEMENTS_AT_ONCE: usize = 16;

/// Bytes of one statement for SQLite.
pub const SQLITE_STATEMENT_BYTES: i32 = 1024 * 1024;

/// Bytes of one value, and of one row, in SQLite.
pub const SQLITE_VALUE_BYTES: i32 = 16 * 1024 * 1024;

/// Bytes of rows that a stream from SQLite hands over at once.
pub const SQLITE_BATCH_BYTES: usize = 64 * 1024;

/// How long a statement of SQLite waits for those that hold its file.
pub const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long compiling a component may take by the clock when it is deployed, on however busy a machine.
pub const COMPILE_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Bytes of a component that may be deployed, migrations included.
pub const ARTIFACT_BYTES: usize = 128 * 1024 * 1024;

/// Elements of one table of a guest.
pub const TABLE_ELEMENTS: usize = 100_000;

/// Streams that one HTTP/2 connection may have open.
pub const HTTP2_STREAMS: u32 = 256;

/// The smallest buffer for a request's head that HTTP/1.1 can be spoken with.
pub const LEAST_HEADER_BYTES: usize = 8 * 1024;

/// The longest request id taken over from a client.
pub const REQUEST_ID_BYTES: usize = 64;

/// How long a connection whose client is still sending what nobody will read is kept after its last answer. A socket that is
/// closed with unread bytes resets the connection, and the client loses the answer that says why.
pub const LINGER_TIME: Duration = Duration::from_secs(1);

/// How long a connection is kept after its last answer for the first byte that is still on its way.
pub const LINGER_BEGINNING: Duration = Duration::from_millis(250);

/// Bytes that are taken in and thrown away in that time.
pub const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// How long to wait after the machine refused a connection, for want of file descriptors most likely.
pub const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// Connections that the embedded database server takes at least.
pub const EMBEDDED_CONNECTIONS: u32 = 200;

/// Connections by which one outbox is relayed.
pub const OUTBOX_CONNECTIONS: u32 = 2;

/// Connections of the embedded server that are kept for the host itself, and for an operator who looks in.
pub const HOST_CONNECTIONS: u32 = 64;

/// Connections of those by which components use key-value stores in the host's own database.
pub const KEY_VALUE_CONNECTIONS: u32 = 16;

/// Connections of all components together that the embedded server can be started for. Each takes memory, used or not.
pub const COMPONENTS_CONNECTIONS: u32 = 4_000;

/// Fibers that may be alive per instance: one for each request it serves at once, and some for what those spawn.
pub const STACKS_PER_INSTANCE: u32 = 20;

/// Address space reserved for one linear memory of an instance; `memory_mib` bounds what it really gets.
pub const ADDRESS_SPACE_BYTES: usize = 4 << 30;

/// How long a component's statement waits for a database connection, connecting included.
pub const CONNECTION_WAIT: Duration = Duration::from_secs(5);

/// A component's database connection that stood longer than this is asked whether it lives before it is used.
pub const CONNECTION_TRUSTED: Duration = Duration::from_secs(1);

/// How long that question may take.
pub const CONNECTION_PING: Duration = Duration::from_secs(1);

/// A component's database connection that stood longer than this is closed.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(300);

/// A component's database connection older than this is closed when it comes back.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(1800);

/// Database addresses that one component may use at once on one core.
pub const DATABASE_ADDRESSES: usize = 16;

/// Prepared statements kept on one connection; beyond it the one unused for longest is closed.
pub const STATEMENTS_PER_CONNECTION: usize = 256;

/// Rows of a query that travel to a guest together.
pub const ROW_BATCH_ROWS: usize = 128;

/// Bytes of rows after which they travel.
pub const ROW_BATCH_BYTES: usize = 64 * 1024;

/// Such batches on their way to a guest at once.
pub const ROW_BATCHES: usize = 2;

/// Events that one subscriber handles at once. Parked ones do not count.
pub const EVENTS_HANDLED: usize = 32;

/// The longest that a component may ask for before it is given an event again, or the next tick; what asks for more gets it then.
pub const PAUSE_ASKED: Duration = Duration::from_secs(300);

/// Bytes of an answer to a posted event or tick that are read: its reason is all that it says.
pub const POSTED_ANSWER_BYTES: usize = 64 * 1024;

/// Letters of that reason that are kept.
pub const POSTED_REASON_LETTERS: usize = 2_000;

/// Keys of one topic that a relay has in hand at once, parked ones included; beyond it the topic's further keys wait.
pub const LANES_PER_TOPIC: usize = 1024;

/// Bytes of events of one topic that a relay has in hand, beyond which the topic's further keys wait. What the look brought by which it
/// came so far counts as well.
pub const LANES_BYTES_PER_TOPIC: usize = 16 * 1024 * 1024;

/// Bytes of events, and one event more, that one look into a table brings.
pub const LOOK_BYTES: usize = 4 * 1024 * 1024;

/// Keys of one topic and outbox of which events may wait for a subscriber at once; of more, events wait in the outbox.
pub const WAITING_KEYS: usize = 100_000;

/// Events of one key that a relay has in hand at once.
pub const LANE_EVENTS: usize = 16;

/// Bytes of an event beyond which it is alone of its key in hand: it may be refused for its size, and nothing is to overtake it then.
pub const SMALL_EVENT_BYTES: usize = 8 * 1024;

/// Messages of one partition in hand, parked ones included, beyond which no more are fetched.
pub const MESSAGES_HELD: usize = 1024;

/// Bytes of these.
pub const MESSAGES_HELD_BYTES: usize = 16 * 1024 * 1024;

/// How far the last message taken up may be ahead of the first that is not done. After a crash as many come again.
pub const MESSAGES_AHEAD: i64 = 10_000;

/// KiB of events that brokers have not answered for yet.
pub const UNANSWERED_KIB: usize = 64 * 1024;

/// How long connecting to a Redis server may take, TLS and log-in included.
pub const REDIS_CONNECT_TIME: Duration = Duration::from_secs(5);

/// Bytes of a Redis server's answer to what the host itself asks.
pub const REDIS_REPLY_BYTES: u64 = 64 * 1024;

/// Elements of one answer of a Redis server, lists themselves included. However small one is, it takes some hundred bytes in the host.
pub const REDIS_ANSWER_ELEMENTS: u64 = 100_000;

/// How long a component's connection to Redis that nobody uses is kept.
pub const REDIS_IDLE_CONNECTION: Duration = Duration::from_secs(300);

/// Connections to Redis that one instance may hold open.
pub const REDIS_OPEN_HANDLES: usize = 256;

/// Bytes of an address of Redis.
pub const REDIS_ADDRESS_BYTES: usize = 4096;

/// Redis addresses that one component may use at once on one core.
pub const REDIS_ADDRESSES: usize = 16;

/// Bytes of one message of a Redis channel, beyond which the connection is given up and made anew.
pub const REDIS_MESSAGE_BYTES: u64 = 16 * 1024 * 1024;

/// Messages of one Redis channel that one component handles at once; beyond it they stay with the server.
pub const REDIS_MESSAGES_HANDLED: usize = 32;

/// Bytes that these take in the host together, where each byte of a message is a value of its own and so takes dozens. A message that is
/// larger is handled alone.
pub const REDIS_MESSAGES_BYTES: u32 = 64 * 1024 * 1024;

/// How many components a chain of calls and requests within the application may have, those among them that answered before they
/// asked the next.
pub const CALL_DEPTH: usize = 16;

/// Guest tasks that one instance remembers after they answered, of how deep in such a chain they are. Of all others it takes the
/// deepest that was forgotten.
pub const TASKS_REMEMBERED: usize = 64;

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
    /// Time a client may pause in the middle of a request's body.
    pub body_timeout: Duration,
    /// Time a connection may stand idle between requests, and a client may leave its answer unread.
    pub idle_timeout: Duration,
    /// Time a client of HTTP/2 may leave the next piece of its answer unread: longer than over HTTP/1.1, where it is enough
    /// to take a part of it.
    pub unread_timeout: Duration,
    /// Time that requests in flight get to finish at shutdown.
    pub shutdown_timeout: Duration,
    /// Processor time that compiling a component may take when it is deployed.
    pub compile_time: Duration,
    /// Instances of all components together, which bounds the process's reserved address space.
    pub total_instances: u32,
    /// Of how many parts one instance is made at most: each has a memory of its own. The manifest says it, no flag.
    pub parts_per_instance: u32,
}

/// Of how many parts one instance may be made: of itself, and of one for each of its dependencies. Each has a memory at least, and
/// the engine gives no component more memories.
pub const MOST_PARTS: u32 = 16;

impl Default for HostLimits {
    fn default() -> Self {
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            connections: 10_000,
            header_bytes: 64 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            unread_timeout: Duration::from_secs(300),
            shutdown_timeout: Duration::from_secs(10),
            compile_time: Duration::from_secs(300),
            total_instances: 1_000,
            parts_per_instance: 1,
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

/// Bytes on the wire around one value of a Redis server's answer: its length, and the ends of two lines.
pub const REDIS_BYTES_AROUND_VALUE: u64 = 32;

/// Sockets that one instance may have open. Each is a file of the process.
pub const SOCKETS_PER_INSTANCE: usize = 64;

/// Addresses that one component was refused and the log tells of.
pub const REFUSALS_TOLD: usize = 64;

/// Bounds of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentLimits {
    /// Linear memory of one instance, of all its memories together, in MiB.
    pub memory_mib: u32,
    /// Time for one call, event or tick, or for a request until its answer begins, in milliseconds; and, with a
    /// second of grace, the longest that a guest may compute without a pause.
    pub request_ms: u64,
    /// Time in which an answer that has begun must go on, in milliseconds.
    pub answer_pause_ms: u64,
    /// Time for a request until its answer has ended, in milliseconds.
    pub answer_ms: u64,
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
    /// Connections of this component to one database, and to one Redis server, for all cores together.
    pub database_connections: u32,
    /// Bytes of one query's rows, or of one answer of a Redis server, held in the host at once.
    pub query_bytes: usize,
    /// Where it runs.
    pub threads: Threads,
}

impl Default for ComponentLimits {
    fn default() -> Self {
        Self {
            memory_mib: 128,
            request_ms: 30_000,
            answer_pause_ms: 60_000,
            answer_ms: 3_600_000,
            body_bytes: 16 * 1024 * 1024,
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
    /// The time until an answer begins.
    pub fn request_time(&self) -> Duration {
        Duration::from_millis(self.request_ms)
    }

    /// The time in which an answer that has begun must go on.
    pub fn answer_pause(&self) -> Duration {
        Duration::from_millis(self.answer_pause_ms)
    }

    /// The time until an answer has ended.
    pub fn answer_time(&self) -> Duration {
        Duration::from_millis(self.answer_ms)
    }
}
