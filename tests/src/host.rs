//! A running `plaza`.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use crate::{
    client::Client,
    compiled,
    output::Output,
    setup::{Ended, Setup},
    state::{StateFolder, signal},
    wait,
};

/// How long a first start may take: it initialises a database server and compiles every component on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// How long a stop may take: the host's own deadline is 10 s.
const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// A host that serves, and stops when this is dropped.
pub struct Host {
    setup: Setup,
    child: Child,
    stdout: Arc<Output>,
    stderr: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    base: String,
    control: String,
    _watchdog: Watchdog,
}

impl Host {
    pub(crate) fn start(setup: Setup) -> Self {
        let first = setup.take_over_compiled();
        let mut child = setup.command().spawn().expect("plaza can be run");
        let watchdog = Watchdog::of(&child, setup.state());
        let (stdout, stdout_reader) = Output::collect("stdout", child.stdout.take().expect("a pipe"));
        let secrets = setup.secrets().map(Arc::new);
        let watching = secrets.clone();
        let (stderr, stderr_reader) = Output::looked_at("stderr", child.stderr.take().expect("a pipe"), move |line| {
            if let Some(secrets) = &watching {
                secrets.look_through(line);
            }
        });
        let addresses = stdout.find(
            START_PATIENCE,
            || !matches!(child.try_wait(), Ok(None)),
            |lines| {
                let mut all = addresses(lines);
                let base = all.next()?;
                let control = all.find(|address| *address != base)?;
                Some((base, control))
            },
        );
        let Some((base, control)) = addresses else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("plaza printed no addresses\n{}\n{}", stdout.text(), stderr.text());
        };
        if first {
            compiled::keep(setup.state().path());
        }
        if let Some(secrets) = &secrets {
            let printed = stdout.text();
            printed.lines().filter_map(printed_password).for_each(|password| secrets.add(&password));
            stderr.text().lines().for_each(|line| secrets.look_through(line));
        }
        Self {
            setup,
            child,
            stdout,
            stderr,
            readers: vec![stdout_reader, stderr_reader],
            base,
            control,
            _watchdog: watchdog,
        }
    }

    /// The application's address: `http://127.0.0.1:41234`.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Somebody who speaks to the application.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// The operator, who speaks to the control port with the token that the state folder holds.
    pub fn control(&self) -> Client {
        let file = self.setup.state().path().join("control.json");
        let text = std::fs::read_to_string(file).expect("the host keeps its control token");
        let token: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        Client::new(&self.control).with_token(token["token"].as_str().expect("a token"))
    }

    /// The control port's address.
    pub fn control_address(&self) -> &str {
        &self.control
    }

    /// What it was started with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Its process id.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// What it printed.
    pub fn stdout(&self) -> &Output {
        &self.stdout
    }

    /// What it logged.
    pub fn stderr(&self) -> &Output {
        &self.stderr
    }

    /// Everything that it printed and logged.
    pub fn all_output(&self) -> String {
        format!("{}\n{}", self.stdout.text(), self.stderr.text())
    }

    /// The administrator's password that the first start prints.
    pub fn password(&self) -> String {
        self.stdout
            .find(wait::PATIENCE, || false, |lines| lines.iter().find_map(|line| printed_password(line)))
            .expect("the first start prints the administrator's password")
    }

    /// Requests, calls, events and ticks being served now by one component, as the control port says.
    pub async fn in_flight_of(&self, component: &str) -> i64 {
        let status = self.status().await;
        let components = status["components"].as_array().unwrap_or_else(|| panic!("no components in {status}"));
        let found = components.iter().find(|entry| entry["id"] == component);
        found.and_then(|entry| entry["in_flight"].as_i64()).unwrap_or_else(|| panic!("no {component} in {status}"))
    }

    /// What the control port says of the host.
    pub async fn status(&self) -> serde_json::Value {
        self.control().get("/status").await.expect(200).json()
    }

    /// Sends SIGTERM and returns at once.
    pub fn terminate(&self) {
        signal("-TERM", self.process());
    }

    /// Stops it as Ctrl-C does and waits for its end.
    pub fn stop(mut self) -> Ended {
        signal("-INT", self.process());
        self.ended()
    }

    /// Waits for its end after [`Self::terminate`].
    pub fn wait(mut self) -> Ended {
        self.ended()
    }

    /// Ends it without warning, as a power cut would, and returns what it takes to start it again at the same address.
    pub fn kill(mut self) -> Setup {
        self.child.kill().expect("it was running");
        self.child.wait().expect("it was running");
        self.setup.clone().listen(self.base.trim_start_matches("http://"))
    }

    fn ended(&mut self) -> Ended {
        let deadline = Instant::now() + STOP_PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("its state can be asked") {
                break status;
            }
            assert!(Instant::now() < deadline, "plaza did not stop within {STOP_PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        };
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        Ended { code: status.code(), stdout: self.stdout.text(), stderr: self.stderr.text(), setup: self.setup.clone() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            let deadline = Instant::now() + STOP_PATIENCE;
            while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A small shell that stops the host and clears its folder when this test process ends, however it ends:
/// the hosts shared by a file's tests live in statics, which are never dropped.
struct Watchdog {
    shell: Child,
}

impl Watchdog {
    fn of(host: &Child, state: &StateFolder) -> Self {
        // Its input ends when this process does.
        const SCRIPT: &str = r#"
            trap '' INT
            read -r _
            kill -TERM "$1" 2>/dev/null
            for i in $(seq 150); do kill -0 "$1" 2>/dev/null || break; sleep 0.1; done
            kill -KILL "$1" 2>/dev/null
            server=$(head -n 1 "$2/postgres/postmaster.pid" 2>/dev/null) && kill -INT "$server" && sleep 1
            umount -l "$2" 2>/dev/null
            [ -n "$PLAZA_KEEP_STATE" ] || rm -rf "$2""#;
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "watch", &host.id().to_string()])
            .arg(state.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell can be run");
        Self { shell }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The host has ended, so there is nothing left to watch.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// The addresses `http://host:port` or `https://host:port` in the order in which they were printed.
fn addresses(lines: &[String]) -> impl Iterator<Item = String> {
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    words.filter_map(|word| {
        let scheme = ["http://", "https://"].into_iter().find(|scheme| word.starts_with(scheme))?;
        let rest = &word[scheme.len()..];
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || ".:-[]".contains(letter)));
        Some(format!("{scheme}{}", &rest[..end.unwrap_or(rest.len())]))
    })
}

/// The word behind `admin_password:`.
fn printed_password(line: &str) -> Option<String> {
    line.trim().strip_prefix("admin_password:")?.split_whitespace().next().map(str::to_owned)
}
