//! Logs: for people on a terminal, JSON lines otherwise.

use std::io::IsTerminal;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::limits::LOG_QUEUE_LINES;

/// What is shown where neither `PLAZA_LOG` nor `RUST_LOG` says otherwise: our own words, and of the libraries only
/// what went wrong.
const DEFAULT_FILTER: &str =
    "info,sqlx=warn,hyper=warn,hyper_util=warn,h2=warn,rustls=warn,cranelift=warn,wasmtime=warn,wasmtime_wasi_http=error";

/// What is shown with `--quiet`.
const QUIET_FILTER: &str = "warn,wasmtime_wasi_http=error";

/// Keeps the log's writer alive; dropping it writes out what is still queued.
pub struct LogGuard {
    lost: ErrorCounter,
    worker: Option<WorkerGuard>,
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        // The worker must have finished before anything else may write to stderr.
        self.worker.take();
        let lost = self.lost.dropped_lines();
        if lost > 0 {
            eprintln!("{lost} log lines were lost, because stderr was not read fast enough");
        }
    }
}

/// Starts logging to stderr. Call it once, first thing, and keep the guard until the process ends.
///
/// `PLAZA_LOG`, else `RUST_LOG`, selects what is logged, in the syntax of `tracing_subscriber::EnvFilter`; `quiet`
/// lowers the default to warnings.
///
/// A thread of its own does the writing. When its queue is full, lines are lost rather than waited for: a terminal on
/// hold, or a log collector that hangs, must not stop requests. What was lost is told at the end.
///
/// # Errors
/// If a filter cannot be parsed, or something else receives the process's logs already.
pub fn init(quiet: bool) -> anyhow::Result<LogGuard> {
    let filter = filter(quiet)?;
    let (writer, worker) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LOG_QUEUE_LINES)
        .thread_name("plaza-log")
        .finish(std::io::stderr());
    let guard = LogGuard { lost: writer.error_counter(), worker: Some(worker) };

    let registry = tracing_subscriber::registry().with(filter);
    if std::io::stderr().is_terminal() {
        registry.with(fmt::layer().with_writer(writer).with_ansi(true)).try_init()?;
    } else {
        let json = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
        registry.with(json.with_writer(writer)).try_init()?;
    }
    Ok(guard)
}

fn filter(quiet: bool) -> anyhow::Result<EnvFilter> {
    for name in ["PLAZA_LOG", "RUST_LOG"] {
        if let Ok(directives) = std::env::var(name) {
            return EnvFilter::try_new(&directives)
                .map_err(|error| anyhow::anyhow!("{name}={directives:?} is no log filter: {error}. Write for example {name}=info"));
        }
    }
    Ok(EnvFilter::new(if quiet { QUIET_FILTER } else { DEFAULT_FILTER }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_filters_can_be_parsed() {
        EnvFilter::try_new(DEFAULT_FILTER).unwrap();
        EnvFilter::try_new(QUIET_FILTER).unwrap();
    }
}
