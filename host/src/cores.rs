//! The threads that serve requests, each with a runtime and workers of its own.
//!
//! A link call between two components is then a hand-over between two tasks of one thread. `ARCHITECTURE.md` has the
//! measurement behind this choice, and `--thread-model work-stealing` is kept so that it can be repeated.

use std::{cell::Cell, io, thread};

use tokio::{
    runtime::{Builder, Handle, Runtime},
    sync::oneshot,
};

/// How much background threads give way.
pub const BACKGROUND_NICENESS: i32 = 10;

/// The most that a thread can give way among those of the common kind.
const MOST_NICENESS: i32 = 19;

/// How requests are spread over processor cores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ThreadModel {
    /// A single-threaded runtime for each core.
    #[default]
    PerCore,
    /// One runtime whose threads steal one another's tasks.
    WorkStealing,
}

/// Running threads, of which [`Cores::lanes`] can be handed work.
pub struct Cores {
    lanes: Vec<Handle>,
    background: Handle,
    threads: Vec<(oneshot::Sender<()>, thread::JoinHandle<()>)>,
}

thread_local! {
    static LANE: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The lane whose thread this is.
pub fn current_lane() -> Option<usize> {
    LANE.get()
}

impl Cores {
    /// Starts `count` lanes (or one that spans `count` threads) and the background threads.
    ///
    /// # Errors
    /// When the machine gives no more threads.
    pub fn start(model: ThreadModel, count: usize) -> io::Result<Self> {
        let mut threads = Vec::new();
        let mut lanes = Vec::new();
        let count = count.max(1);
        match model {
            ThreadModel::PerCore => {
                for lane in 0..count {
                    let runtime = Builder::new_current_thread().enable_all().build()?;
                    lanes.push(runtime.handle().clone());
                    threads.push(keep_running(format!("core-{lane}"), Some(lane), runtime)?);
                }
            }
            ThreadModel::WorkStealing => {
                let runtime = Builder::new_multi_thread()
                    .worker_threads(count)
                    .thread_name("core")
                    .on_thread_start(|| LANE.set(Some(0)))
                    .enable_all()
                    .build()?;
                lanes.push(runtime.handle().clone());
                threads.push(keep_running("core".into(), None, runtime)?);
            }
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(count)
            .thread_name("background")
            .on_thread_start(|| give_way(BACKGROUND_NICENESS))
            .enable_all()
            .build()?;
        let background = runtime.handle().clone();
        threads.push(keep_running("background-keeper".into(), None, runtime)?);
        Ok(Self { lanes, background, threads })
    }

    /// The runtimes that serve requests.
    pub fn lanes(&self) -> &[Handle] {
        &self.lanes
    }

    /// The runtime for work that computes long.
    pub fn background(&self) -> &Handle {
        &self.background
    }

    /// Ends the threads and what still runs on them. Blocks until they are gone.
    pub fn stop(self) {
        let (signals, handles): (Vec<_>, Vec<_>) = self.threads.into_iter().unzip();
        drop(signals);
        for handle in handles {
            _ = handle.join();
        }
    }
}

fn keep_running(
    name: String,
    lane: Option<usize>,
    runtime: Runtime,
) -> io::Result<(oneshot::Sender<()>, thread::JoinHandle<()>)> {
    let (signal, stopped) = oneshot::channel::<()>();
    let handle = thread::Builder::new().name(name).spawn(move || {
        LANE.set(lane);
        _ = runtime.block_on(stopped);
        runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    })?;
    Ok((signal, handle))
}

/// The calling thread, and those it starts, give way to those that answer requests, the more so the higher `niceness` is. On
/// Linux each thread has one of its own; where it is refused they just run.
pub fn give_way(niceness: i32) {
    if let Err(error) = rustix::process::nice(niceness) {
        tracing::debug!(%error, "background threads run at the common priority");
    }
}

/// The calling thread, and those it starts, run only where nobody else wants to: on Linux, whoever else wakes up takes the core at
/// once. Nobody but an administrator can take that back.
pub fn run_when_idle() {
    if !enter_idle_class() {
        give_way(MOST_NICENESS);
    }
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "neither the standard library nor rustix knows the call")]
fn enter_idle_class() -> bool {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is the calling thread, and the kernel reads the parameters, which outlive the call.
    unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn enter_idle_class() -> bool {
    false
}
