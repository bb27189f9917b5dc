//! Keeps the server running: one that ends unasked is started again.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Ground, Loss, left_over, process::Process};
use crate::database::DatabaseError;

/// After so many failures in a row the server is given up: half a minute of trying. Whatever supervises this host then sees it
/// end, which it would not see of one that serves nothing but errors; and a fresh start mends more than can be mended here, a taken
/// port for instance, or says at once what to do. A full disk is never a reason: room is made from outside, the host being
/// up or not.
const FAILURES: u32 = 12;

/// The pause after the second failure; it doubles from there. The first is answered at once.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// The pause that no longer grows.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A server that ran for this long is sound: failures are counted anew.
const STEADY: Duration = Duration::from_secs(60);

/// How long processes of a server that ended may go on by themselves: they notice it unless they are in the middle of something.
const BACKENDS_PATIENCE: Duration = Duration::from_secs(3);

/// Watches the server until it is to stop. The folder stays locked until it has ended.
pub(super) async fn supervise(
    mut process: Process,
    ground: Ground,
    stop: CancellationToken,
    report: watch::Sender<Option<Loss>>,
) -> Result<(), DatabaseError> {
    let mut failures = 0;
    loop {
        let started = Instant::now();
        let status = tokio::select! {
            () = stop.cancelled() => break process.stop().await?,
            status = process.ended() => status,
        };
        failures = if started.elapsed() < STEADY { failures + 1 } else { 1 };
        let log = ground.folder.log().display().to_string();
        tracing::error!(
            database.status = status,
            database.log = log,
            "PostgreSQL ended unexpectedly; starting it again, until then what needs it fails"
        );
        let ended = Instant::now();
        match start_again(&ground, process.port(), &mut failures, &stop).await {
            Ok(Some(again)) => process = again,
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "PostgreSQL cannot be started again");
                report.send_replace(Some(Loss { starts: failures, reason: error.to_string() }));
                stop.cancelled().await;
                break;
            }
        }
        let after_ms = u64::try_from(ended.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(database.after_ms = after_ms, "PostgreSQL serves again; what was committed is there");
    }
    // A server that was killed at the last moment leaves its processes.
    left_over::end_backends(&ground.folder, Duration::ZERO).await
}

/// Tries until it runs, it is to stop (`None`), or it must be given up.
async fn start_again(
    ground: &Ground,
    port: u16,
    failures: &mut u32,
    stop: &CancellationToken,
) -> Result<Option<Process>, DatabaseError> {
    let mut told = String::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(None),
            () = tokio::time::sleep(pause(*failures)) => {}
        }
        let error = match try_start(ground, port, stop).await {
            Ok(started) => return Ok(started),
            Err(error) => error,
        };
        if *failures >= FAILURES && !error.is_full_disk() {
            return Err(error);
        }
        *failures = failures.saturating_add(1);
        // One line for one reason, however often it is met.
        let reason = error.to_string();
        let kind = without_numbers(&reason);
        if kind != told {
            tracing::warn!(reason, "PostgreSQL is not back yet; trying on");
            told = kind;
        }
    }
}

/// Clears away what the last one left, and starts one; `None` when it is to stop.
async fn try_start(ground: &Ground, port: u16, stop: &CancellationToken) -> Result<Option<Process>, DatabaseError> {
    let clearing = async {
        left_over::end_backends(&ground.folder, BACKENDS_PATIENCE).await?;
        left_over::remove_note(&ground.folder)
    };
    tokio::select! {
        () = stop.cancelled() => return Ok(None),
        cleared = clearing => cleared?,
    }
    Process::start_again(ground, port, stop).await
}

/// A reason without what differs each time it is met: the numbers of processes.
fn without_numbers(reason: &str) -> String {
    reason.chars().filter(|character| !character.is_ascii_digit()).collect()
}

/// How long to wait after so many failures in a row.
fn pause(failures: u32) -> Duration {
    match failures.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => SHORTEST_PAUSE.saturating_mul(1 << doublings.min(16)).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_the_same_whichever_process_met_it() {
        let met_by = |process| without_numbers(&format!("could not write to file \"pg_wal/xlogtemp.{process}\""));
        assert_eq!(met_by(7), met_by(4321));
        assert_ne!(met_by(7), without_numbers("could not write lock file \"postmaster.pid\""));
    }

    #[test]
    fn the_first_failure_is_answered_at_once_and_later_ones_after_longer_and_longer() {
        let pauses_ms: Vec<u128> = (0..5).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses_ms, [0, 0, 100, 200, 400]);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
        let together: Duration = (1..=FAILURES).map(pause).sum();
        assert!(together > Duration::from_secs(20) && together < Duration::from_secs(60), "{together:?}");
    }
}
