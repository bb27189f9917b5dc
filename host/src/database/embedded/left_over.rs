//! What a server leaves behind that nobody stopped in order: itself, its processes, its note.

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

/// How processes without their server are ended, and how long each may take; before that they may end by themselves. SIGQUIT
/// lets them say goodbye; one that was halted does not even hear that.
const BACKENDS: [(Signal, Duration); 2] =
    [(Signal::SIGQUIT, Duration::from_secs(2)), (Signal::SIGKILL, Duration::from_secs(10))];

/// How long the processes of a server that crashed in an earlier run may go on by themselves.
const BACKENDS_PATIENCE: Duration = Duration::from_secs(5);

/// How often one looks whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Stops a server that still runs on the data folder, and removes the trace of one that does not. The folder is locked
/// for this host, so no living host can be using it.
pub(super) async fn stop(folder: &StateFolder) -> Result<(), DatabaseError> {
    let pid_file = folder.data().join("postmaster.pid");
    let Ok(text) = fs::read_to_string(&pid_file) else { return end_backends(folder, BACKENDS_PATIENCE).await };
    let pid = text.lines().next().and_then(|line| line.trim().parse::<i32>().ok());
    let Some(pid) = pid.filter(|&pid| pid > 1 && serves(pid, &folder.data())) else {
        tracing::info!("an earlier run of the database crashed; it recovers by itself");
        end_backends(folder, BACKENDS_PATIENCE).await?;
        return remove_note(folder);
    };
    tracing::info!(database.pid = pid, "stopping the database that an earlier run left behind");
    for (signal, patience) in PATIENCE {
        if send(pid, signal) == Err(Errno::ESRCH) || ends_within(pid, &folder.data(), patience).await {
            return Ok(());
        }
    }
    Err(DatabaseError::LeftOver { pid, folder: folder.data() })
}

/// Waits until no process of a server that has ended itself is left: they hold its shared memory, and no other starts before that is
/// free. Those that do not end within `patience` are ended; what they had under way was not committed.
pub(super) async fn end_backends(folder: &StateFolder, patience: Duration) -> Result<(), DatabaseError> {
    let data = folder.data();
    if all_end_within(&data, patience).await {
        return Ok(());
    }
    for (signal, patience) in BACKENDS {
        let left = backends(&data);
        tracing::debug!(database.processes = left.len(), %signal, "ending processes of a server that has ended");
        for pid in left {
            // One that has ended meanwhile is none to send to.
            _ = send(pid, signal);
        }
        if all_end_within(&data, patience).await {
            return Ok(());
        }
    }
    match backends(&data).first() {
        Some(&pid) => Err(DatabaseError::LeftOver { pid, folder: data }),
        None => Ok(()),
    }
}

/// Removes the server's note of its process id. Whoever calls this knows that the server has ended.
pub(super) fn remove_note(folder: &StateFolder) -> Result<(), DatabaseError> {
    let note = folder.data().join("postmaster.pid");
    match fs::remove_file(&note) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(DatabaseError::file("remove", note)(error)),
        _ => Ok(()),
    }
}

async fn all_end_within(data: &Path, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    loop {
        if backends(data).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// PostgreSQL's processes on this data folder.
#[cfg(target_os = "linux")]
fn backends(data: &Path) -> Vec<i32> {
    // A person's shell may stand in the folder too, so the name counts as well.
    let is_postgres =
        |pid: i32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|&pid| serves(pid, data) && is_postgres(pid))
        .collect()
}

/// Elsewhere nothing tells whose processes they are; the next server says itself that some are left, and is tried again.
#[cfg(not(target_os = "linux"))]
fn backends(_data: &Path) -> Vec<i32> {
    Vec::new()
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
