//! The process that compiles.

use std::{
    io::{self, Read, Write},
    process, thread,
    time::{Duration, Instant},
};

use clap::ValueEnum;
use rustix::time::{ClockId, clock_gettime};

use crate::{
    cores::{BACKGROUND_NICENESS, give_way, run_when_idle},
    engine::config,
    limits::{COMPILE_PATIENCE, HostLimits},
};

/// How a compiler ends that was given too little of the processor: `EX_TEMPFAIL` of `sysexits.h`.
pub(super) const STARVED: i32 = 75;

/// For how long it is not asked what a compiler was given.
const GRACE: Duration = Duration::from_secs(2);

/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(500);

/// What a compiler takes of the processor beside those who serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Share {
    /// What they leave.
    Rest,
    /// A small part of what they want, too.
    Small,
    /// As much as any of them.
    Equal,
}

impl Share {
    /// As the command is told it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Small => "small",
            Self::Equal => "equal",
        }
    }

    /// The next one for a compiler that gets nowhere with this one. It has to begin again: who gave way cannot take it back.
    pub(super) fn larger(self) -> Option<Self> {
        match self {
            Self::Rest => Some(Self::Small),
            Self::Small => Some(Self::Equal),
            Self::Equal => None,
        }
    }

    /// The part of one core with which a compiler gets somewhere; below it, it is better to begin again with more. It is little,
    /// so that whoever deploys waits rather than those who are served.
    fn least(self) -> f64 {
        match self {
            Self::Rest => 0.1,
            Self::Small => 0.05,
            Self::Equal => 0.0,
        }
    }

    fn take(self) {
        match self {
            Self::Rest => run_when_idle(),
            Self::Small => give_way(BACKGROUND_NICENESS),
            Self::Equal => {}
        }
    }
}

/// Compiles the component on the standard input to the standard output, in this much processor time: what the command does. In more it
/// ends the process, after a word on the standard error.
///
/// # Errors
/// What the compiler says of the component.
pub fn compile_input(share: Share, at_most: Duration) -> anyhow::Result<()> {
    end_with_parent();
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component)?;
    // Begun before this thread gives way, since a thread has the share of the one that starts it.
    thread::spawn(move || watch(share, at_most));
    share.take();
    // Nothing is instantiated here.
    let limits = HostLimits { total_instances: 1, ..HostLimits::default() };
    let engine = wasmtime::Engine::new(&config(&limits))?;
    let compiled = engine.precompile_component(&component)?;
    io::stdout().write_all(&compiled)?;
    Ok(())
}

/// Ends this process when it has computed for too long, or is not let do so.
fn watch(share: Share, at_most: Duration) {
    let begun = Instant::now();
    loop {
        thread::sleep(INTERVAL);
        let (used, elapsed) = (processor_time(), begun.elapsed());
        if used > at_most {
            let at_most = at_most.as_secs();
            eprintln!(
                "it takes more than {at_most} s of processor time: build a smaller component, optimise it with wasm-opt, or start the host with a longer --compile-time"
            );
            process::exit(1);
        }
        if elapsed > COMPILE_PATIENCE {
            eprintln!(
                "after {} s it had {} s of processor time: deploy it again when there is less to do",
                elapsed.as_secs(),
                used.as_secs()
            );
            process::exit(1);
        }
        if elapsed > GRACE && used < elapsed.mul_f64(share.least()) {
            process::exit(STARVED);
        }
    }
}

/// What this process has used of the processor so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}

/// Nobody is left to want what is compiled once the host is gone.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        tracing::debug!(%error, "this compiler goes on when its host ends");
    }
}
