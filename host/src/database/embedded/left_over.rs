//! A server that an earlier host left behind.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::folder::StateFolder;
use crate::database::DatabaseError;

/// How long a server may take to stop in order, then at once, before the start is given up.
const PATIENCE: [(Signal, Duration); 2] =
    [(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(10))];

/// How often one looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Stops a server that still runs on the data folder, and removes the trace of one that does not. The folder is locked
/// for this host, so no living host can be using it.
pub(super) async fn stop(folder: &StateFolder) -> Result<(), DatabaseError> {
    let pid_file = folder.data().join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return Ok(()) };
    let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
    let Some(pid) = pid.filter(|&pid| pid > 1 && serves(pid, &folder.data())) else {
        tracing::info!("an earlier run of the database crashed; it recovers by itself");
        return fs::remove_file(&pid_file).map_err(DatabaseError::file("remove", pid_file));
    };
    tracing::info!(database.pid = pid, "stopping the database that an earlier run left behind");
    for (signal, patience) in PATIENCE {
        if send(pid, signal) == Err(Errno::ESRCH) || ends_within(pid, &folder.data(), patience).await {
            return Ok(());
        }
    }
    Err(DatabaseError::LeftOver { pid, folder: folder.data() })
}

async fn ends_within(pid: i32, data: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if !serves(pid, data) {
            return true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    false
}

fn send(pid: i32, signal: Signal) -> Result<(), Errno> {
    kill(Pid::from_raw(pid), signal)
}

/// Is the process a server on this data folder? Numbers are used again, so its being there proves nothing.
#[cfg(target_os = "linux")]
fn serves(pid: i32, data: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    // A server's working folder is its data folder. A process that has ended but was not collected has none.
    let (Ok(its), Ok(ours)) = (fs::metadata(format!("/proc/{pid}/cwd")), fs::metadata(data)) else {
        return false;
    };
    (its.dev(), its.ino()) == (ours.dev(), ours.ino())
}

/// Is the process a server on this data folder? Numbers are used again, so its being there proves nothing.
#[cfg(not(target_os = "linux"))]
fn serves(pid: i32, data: &Path) -> bool {
    let listing = std::process::Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output();
    listing.is_ok_and(|listing| {
        let command = String::from_utf8_lossy(&listing.stdout).into_owned();
        command.contains("postgres") && command.contains(&*data.to_string_lossy())
    })
}
