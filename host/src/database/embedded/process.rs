//! The server process: started, watched, stopped.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::Connection;
use tokio::process::{Child, ChildStdin};

use tokio_util::sync::CancellationToken;

use super::{ADMINISTRATOR, Ground};
use crate::database::{
    DatabaseError,
    error::{DISK_FULL, remedy_for_output, sql_state},
    server::{self, embedded_options},
};

/// Settings beside folder, port and socket. Logged are faults of the server, not statements or values: those are other people's data.
const SETTINGS: [&str; 13] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_permissions=0700",
    "password_encryption=scram-sha-256",
    "random_page_cost=1.1",
    "timezone=UTC",
    "log_timezone=UTC",
    "logging_collector=off",
    "log_checkpoints=off",
    "log_min_messages=warning",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "max_wal_senders=0",
    "cluster_name=plaza",
];

/// How often one asks whether the server accepts connections.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// How long one connection attempt may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(5);

/// How long recovery after a crash may take before the start is given up.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// How often a start is tried anew: another port each time, or once more when processes of a crashed server are still ending.
const ATTEMPTS: usize = 10;

/// How long those processes are given between two attempts.
const CRASHED_PAUSE: Duration = Duration::from_millis(300);

/// How long the server may take to stop in order, and then to drop everything.
const STOP_TIMEOUTS: [(Signal, Duration); 2] =
    [(Signal::SIGINT, Duration::from_secs(20)), (Signal::SIGQUIT, Duration::from_secs(5))];

/// Stops the server when this host is gone: its standard input then ends.
const WATCH: &str = "read -r _; kill -INT \"$1\"";

/// A running server.
pub(super) struct Process {
    child: Child,
    pid: i32,
    port: u16,
    socket: PathBuf,
    watcher: Option<Watcher>,
}

/// A shell that outlives this host by a moment. Dropping its input makes it act.
struct Watcher {
    child: Child,
    _input: Option<ChildStdin>,
}

impl Process {
    /// Starts the server, on another port if that of the last run is taken, and waits until it accepts connections.
    pub(super) async fn start(ground: &Ground) -> Result<Self, DatabaseError> {
        let mut wanted = ground.folder.port();
        // Whoever stops waiting for the start drops the process, and its watcher stops it.
        let never = CancellationToken::new();
        for _ in 0..ATTEMPTS {
            let port = free_port(wanted)?;
            match attempt(ground, port, &never).await? {
                Attempt::Running(process) => {
                    ground.folder.keep_port(port)?;
                    return Ok(*process);
                }
                Attempt::PortTaken => wanted = None,
                Attempt::StillEnding => tokio::time::sleep(CRASHED_PAUSE).await,
                Attempt::Stopped => break,
            }
        }
        Err(ground.start_error("neither a free port nor the end of a crashed server's processes was to be had"))
    }

    /// Starts it once more, on the port that components know; `None` when it was stopped meanwhile.
    pub(super) async fn start_again(
        ground: &Ground,
        port: u16,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, DatabaseError> {
        match attempt(ground, port, stop).await? {
            Attempt::Running(process) => Ok(Some(*process)),
            Attempt::Stopped => Ok(None),
            Attempt::PortTaken => {
                Err(ground.start_error(&format!("another program has taken its port 127.0.0.1:{port}")))
            }
            Attempt::StillEnding => Err(ground.start_error("processes of the server that ended are still there")),
        }
    }

    /// The loopback port.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its socket.
    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Waits for an end that nobody asked for; returns its status in words.
    pub(super) async fn ended(&mut self) -> String {
        let status = self.child.wait().await;
        self.dismiss_watcher().await;
        status.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Stops it in order, and at once if that takes too long.
    pub(super) async fn stop(&mut self) -> Result<(), DatabaseError> {
        for (signal, patience) in STOP_TIMEOUTS {
            // The child is not collected yet, so the number is still its own.
            if kill(Pid::from_raw(self.pid), signal).is_err()
                || tokio::time::timeout(patience, self.child.wait()).await.is_ok()
            {
                self.dismiss_watcher().await;
                return Ok(());
            }
        }
        let seconds = STOP_TIMEOUTS.iter().map(|(_, patience)| patience.as_secs()).sum();
        Err(DatabaseError::Stop { pid: self.pid, seconds })
    }

    /// The watcher must not act on a number that may soon be another process's.
    async fn dismiss_watcher(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            drop(watcher.child.kill().await);
        }
    }
}

/// What became of one try.
enum Attempt {
    Running(Box<Process>),
    PortTaken,
    StillEnding,
    Stopped,
}

async fn attempt(ground: &Ground, port: u16, stop: &CancellationToken) -> Result<Attempt, DatabaseError> {
    let Ground { folder, programs, account, password, connections } = ground;
    let socket = folder.socket_folder(account)?;
    let (log, log_start) = folder.open_log()?;
    let mut command = account.command(programs.postgres(), &folder.data());
    command.arg("-D").arg(folder.data()).arg("-k").arg(&socket).args([
        "-p",
        &port.to_string(),
        "-N",
        &connections.to_string(),
    ]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    let second = log.try_clone().map_err(DatabaseError::file("open", folder.log()))?;
    let child = command.stdout(second).stderr(log).spawn().map_err(DatabaseError::file("run", programs.postgres()))?;
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else {
        return Err(ground.start_error("it ended at once"));
    };
    let watcher = watch(ground, pid)?;
    let mut process = Process { child, pid, port, socket, watcher: Some(watcher) };
    let is_ready = tokio::select! {
        is_ready = process.becomes_ready(password) => is_ready?,
        () = stop.cancelled() => {
            process.stop().await?;
            return Ok(Attempt::Stopped);
        }
    };
    if is_ready {
        return Ok(Attempt::Running(Box::new(process)));
    }
    process.dismiss_watcher().await;
    let said = folder.log_since(log_start);
    match said {
        _ if said.contains("could not create any TCP/IP sockets") || said.contains("Address already in use") => {
            Ok(Attempt::PortTaken)
        }
        _ if said.contains("pre-existing shared memory block") => Ok(Attempt::StillEnding),
        _ => {
            let remedy = match remedy_for_output(&said) {
                // The log stands on the same disk and may have had no room for the reason.
                "" if folder.is_full() => DISK_FULL,
                remedy => remedy,
            };
            Err(DatabaseError::Start { output: faults(&said), remedy, log: folder.log() })
        }
    }
}

impl Process {
    /// Waits until it accepts connections; false when it ended instead.
    async fn becomes_ready(&mut self, password: &str) -> Result<bool, DatabaseError> {
        // Any answer of the server will do, also that the database is not there yet.
        let options =
            embedded_options(&self.socket, self.port, ADMINISTRATOR, password).database(server::STATE_DATABASE);
        let address = || format!("{}:{}", self.socket.display(), self.port);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let error = match server::connect(&options, ASK_TIMEOUT).await {
                Ok(connection) => {
                    drop(connection.close().await);
                    return Ok(true);
                }
                Err(error) => error,
            };
            match sql_state(&error).as_deref() {
                Some("3D000") => return Ok(true),
                // Starting up, recovering, or going down.
                Some("57P03") | None if Instant::now() < deadline => {}
                _ => return Err(DatabaseError::Connect { address: address(), cause: error }),
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return Ok(false);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

fn watch(ground: &Ground, pid: i32) -> Result<Watcher, DatabaseError> {
    let mut command = ground.account.command("/bin/sh", ground.folder.path());
    command
        .args(["-c", WATCH, "plaza-watch", &pid.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(DatabaseError::file("run", "/bin/sh"))?;
    let input = child.stdin.take();
    Ok(Watcher { child, _input: input })
}

/// The wanted port if it is free, else any free one.
fn free_port(wanted: Option<u16>) -> Result<u16, DatabaseError> {
    let try_port =
        |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
    let address = match wanted.map(try_port) {
        Some(Ok(address)) => Ok(address),
        _ => try_port(0),
    };
    Ok(address.map_err(DatabaseError::file("find a free port on", "127.0.0.1"))?.port())
}

/// What the server answers while it starts, recovers or stops.
const NOT_YET: &str = "the database system is ";

/// The lines of a log that say what went wrong.
fn faults(log: &str) -> String {
    // A wrong setting is told as a mere remark, before the fault that it causes.
    let marks = ["FATAL:", "PANIC:", "HINT:", "error:", "LOG:  invalid", "LOG:  unrecognized", "LOG:  syntax error"];
    let mut lines: Vec<&str> = Vec::new();
    for line in log.lines() {
        let told = marks.iter().find_map(|mark| Some(line.get(line.find(mark)?..)?.trim()));
        // Whoever asks too early is told so, again and again; that is no fault.
        lines.extend(told.filter(|told| !told.contains(NOT_YET) && !lines.contains(told)));
    }
    if lines.is_empty() {
        log.trim().lines().last().unwrap_or("it ended without a word").to_owned()
    } else {
        lines.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_once_without_the_answers_to_who_asked_too_early() {
        let log = "2026-11-24 FATAL:  the database system is starting up\n\
                   2026-11-24 LOG:  invalid value for parameter \"work_mem\": \"heavy\"\n\
                   2026-11-24 FATAL:  could not write to file \"pg_wal/xlogtemp.7\"\n\
                   2026-11-24 FATAL:  could not write to file \"pg_wal/xlogtemp.7\"\n\
                   2026-11-24 LOG:  database system is shut down\n";
        let told = "LOG:  invalid value for parameter \"work_mem\": \"heavy\"; \
                    FATAL:  could not write to file \"pg_wal/xlogtemp.7\"";
        assert_eq!(faults(log), told);
    }
}
