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

use super::{ADMINISTRATOR, account::Account, folder::StateFolder, programs::Programs};
use crate::database::{
    DatabaseError,
    error::{remedy_for_output, sql_state},
    server::{self, embedded_options},
};

/// Connections for all components and the host.
const MAX_CONNECTIONS: u32 = 200;

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
    /// Starts the server and waits until it accepts connections.
    pub(super) async fn start(
        folder: &StateFolder,
        programs: &Programs,
        account: &Account,
        password: &str,
    ) -> Result<Self, DatabaseError> {
        let socket = folder.socket_folder(account)?;
        let mut wanted = folder.port();
        for _ in 0..ATTEMPTS {
            let port = free_port(wanted)?;
            match attempt(folder, programs, account, &socket, port, password).await? {
                Attempt::Running(process) => {
                    folder.keep_port(port)?;
                    return Ok(*process);
                }
                Attempt::PortTaken => wanted = None,
                Attempt::StillEnding => tokio::time::sleep(CRASHED_PAUSE).await,
            }
        }
        let output = "neither a free port nor the end of a crashed server's processes was to be had".to_owned();
        Err(DatabaseError::Start { output, remedy: "", log: folder.log() })
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
}

async fn attempt(
    folder: &StateFolder,
    programs: &Programs,
    account: &Account,
    socket: &Path,
    port: u16,
    password: &str,
) -> Result<Attempt, DatabaseError> {
    let (log, log_start) = folder.open_log()?;
    let mut command = account.command(programs.postgres(), &folder.data());
    command.arg("-D").arg(folder.data()).arg("-k").arg(socket).args([
        "-p",
        &port.to_string(),
        "-N",
        &MAX_CONNECTIONS.to_string(),
    ]);
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    let second = log.try_clone().map_err(DatabaseError::file("open", folder.log()))?;
    let child = command.stdout(second).stderr(log).spawn().map_err(DatabaseError::file("run", programs.postgres()))?;
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else {
        return Err(DatabaseError::Start { output: "it ended at once".to_owned(), remedy: "", log: folder.log() });
    };
    let watcher = watch(account, folder, pid)?;
    let mut process = Process { child, pid, port, socket: socket.to_owned(), watcher: Some(watcher) };
    if process.becomes_ready(password).await? {
        return Ok(Attempt::Running(Box::new(process)));
    }
    process.dismiss_watcher().await;
    let said = folder.log_since(log_start);
    match said {
        _ if said.contains("could not create any TCP/IP sockets") || said.contains("Address already in use") => {
            Ok(Attempt::PortTaken)
        }
        _ if said.contains("pre-existing shared memory block") => Ok(Attempt::StillEnding),
        _ => Err(DatabaseError::Start { output: faults(&said), remedy: remedy_for_output(&said), log: folder.log() }),
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
                _ => return Err(DatabaseError::Connect { address: address(), source: error }),
            }
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return Ok(false);
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

fn watch(account: &Account, folder: &StateFolder, pid: i32) -> Result<Watcher, DatabaseError> {
    let mut command = account.command("/bin/sh", folder.path());
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

/// The lines of a log that say what went wrong.
fn faults(log: &str) -> String {
    let marks = ["FATAL:", "PANIC:", "HINT:", "error:"];
    let lines: Vec<&str> = log
        .lines()
        .filter_map(|line| marks.iter().find_map(|mark| Some(line.get(line.find(mark)?..)?.trim())))
        .collect();
    if lines.is_empty() {
        log.trim().lines().last().unwrap_or("it ended without a word").to_owned()
    } else {
        lines.join("; ")
    }
}
