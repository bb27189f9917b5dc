//! A broker of Apache Kafka, for the time of a test.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig,
    consumer::{BaseConsumer, Consumer},
};

use crate::{guard::Guard, output::Output, setup::workspace};

/// How long a broker may take to answer, on a machine that is busy with other tests.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A broker in a folder of its own, which is killed when this is dropped.
pub struct Broker {
    folder: tempfile::TempDir,
    port: u16,
    guarded_port: u16,
    guard: Option<Guard>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    watchdog: Child,
    _log: Arc<Output>,
}

impl Broker {
    /// Starts one with nothing on it, on a free port.
    pub fn start() -> Self {
        Self::set_up(None::<fn(&Path) -> Guard>)
    }

    /// Starts one that also listens where it asks for a password and speaks TLS.
    pub fn guarded() -> Self {
        Self::set_up(Some(Guard::in_folder))
    }

    fn set_up(guard: Option<impl FnOnce(&Path) -> Guard>) -> Self {
        let folder = tempfile::Builder::new().prefix("plaza-broker-").tempdir();
        let folder = folder.expect("the folder for temporary files can be written");
        let (port, controller, guarded_port) = (free_port(), free_port(), free_port());
        let guard = guard.map(|make| make(folder.path()));
        let guarded = guard.as_ref().map(|guard| (format!(",SASL_SSL://127.0.0.1:{guarded_port}"), guard.settings()));
        let (listener, guarding) = guarded.unwrap_or_default();
        let data = folder.path().join("data");
        copy_formatted(&data);
        let settings = format!(
            "process.roles=broker,controller\n\
             node.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             controller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listener}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL\n\
             log.dirs={}\n\
             auto.create.topics.enable=false\n\
             offsets.topic.replication.factor=1\n\
             offsets.topic.num.partitions=4\n\
             transaction.state.log.replication.factor=1\n\
             transaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\n\
             {guarding}",
            data.display()
        );
        fs::write(folder.path().join("server.properties"), settings).expect("a file can be written");
        let mut broker = Self { folder, port, guarded_port, guard, running: None };
        broker.start_again();
        broker
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `host:port` of where it asks for a password, and the file with the authority that its certificate is from.
    pub fn guarded_address(&self) -> (String, PathBuf) {
        let guard = self.guard.as_ref().expect("it was started so");
        (format!("127.0.0.1:{}", self.guarded_port), guard.authority())
    }

    /// Starts it on what it left, and waits until it answers.
    pub fn start_again(&mut self) {
        let libraries = workspace().join("target/kafka/libraries");
        let mut child = Command::new("java")
            .args([
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            ])
            .arg("-cp")
            .arg(libraries.join("*"))
            .arg("kafka.Kafka")
            .arg(self.folder.path().join("server.properties"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("java can be run");
        let (log, _) = Output::collect("the broker", child.stderr.take().expect("a pipe"));
        let watchdog = watchdog(&child, self.folder.path());
        let deadline = Instant::now() + START_PATIENCE;
        while !answers(&self.address()) {
            assert!(matches!(child.try_wait(), Ok(None)), "the broker has ended:\n{}", log.text());
            assert!(Instant::now() < deadline, "the broker does not answer:\n{}", log.text());
        }
        self.running = Some(Running { child, watchdog, _log: log });
    }

    /// Ends it without warning, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(Running { mut child, mut watchdog, .. }) = self.running.take() {
            child.kill().expect("it was running");
            child.wait().expect("it was running");
            // It has nothing left to watch.
            let _ = watchdog.kill();
            let _ = watchdog.wait();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The brokers that the tests are to use in place of their own, if any.
pub fn given() -> Option<String> {
    std::env::var("KAFKA_BROKERS").ok().filter(|brokers| !brokers.is_empty())
}

/// Whether a broker at this address tells of itself.
fn answers(address: &str) -> bool {
    let asking: Result<BaseConsumer, _> =
        ClientConfig::new().set("bootstrap.servers", address).set("log_level", "0").create();
    let metadata = asking.expect("settings of a client").fetch_metadata(None, Duration::from_millis(500));
    metadata.is_ok_and(|metadata| !metadata.brokers().is_empty())
}

/// What `make broker` has formatted.
fn copy_formatted(data: &Path) {
    let formatted = workspace().join("target/kafka/data");
    assert!(formatted.exists(), "{} is missing: run `make broker` first, or set KAFKA_BROKERS", formatted.display());
    fs::create_dir(data).expect("a folder can be made");
    for file in fs::read_dir(formatted).expect("a folder").flatten() {
        fs::copy(file.path(), data.join(file.file_name())).expect("a file can be copied");
    }
}

/// A port that nobody has at the moment, and that nobody gets who asks for any port: Java takes a while to begin to listen.
pub fn free_port() -> u16 {
    let some = std::iter::repeat_with(|| rand::random_range(20_000..32_000));
    some.take(1_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// A small shell that ends a server when this test process ends, however it ends: those in statics are never dropped.
pub(crate) fn watchdog(server: &Child, folder: &Path) -> Child {
    // Its input ends when this process does.
    const SCRIPT: &str = r#"trap '' INT; read -r _; kill -KILL "$1" 2>/dev/null; rm -rf "$2""#;
    Command::new("sh")
        .args(["-c", SCRIPT, "watch", &server.id().to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell can be run")
}
