//! Compiling while a host serves: in a process of its own, which gives way to it.
//!
//! A compiler takes every core it is given for seconds, hundreds of megabytes, and the locks of the memory that it shares with those
//! who serve. In another process it takes what they leave, on half of the cores; its memory is gone with it, and one that goes on
//! for too long can be ended. Where they leave it nothing it begins again as one that is given a share.

mod compiler;

use std::{
    env,
    io::{self, Write},
    num::NonZero,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Sender},
    thread,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};

pub use self::compiler::{Share, compile_input};

/// The command of this program that compiles.
pub const COMMAND: &str = "compile";

/// By which the compiler's threads, which are rayon's, are counted.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Starts compilers, and waits for them.
///
/// A process has the priority of the thread that starts it, and no way back up. Deploys are on threads that give way, so compilers are
/// started by one that does not.
pub(super) struct Compilers {
    starter: Sender<Start>,
}

/// The part that a compiler takes, and who wants to hear of it.
type Start = (Share, Sender<io::Result<Child>>);

impl Compilers {
    /// Those whose compilers may take this much processor time for a component.
    ///
    /// # Errors
    /// When the machine gives no more threads.
    pub(super) fn new(compile_time: Duration) -> io::Result<Self> {
        let (starter, wanted) = mpsc::channel::<Start>();
        thread::Builder::new().name("compilers".into()).spawn(move || {
            for (share, answer) in wanted {
                _ = answer.send(start(share, compile_time));
            }
        })?;
        Ok(Self { starter })
    }

    /// Compiles a component with this program's command, and waits for it.
    pub(super) fn compile(&self, component: &[u8]) -> anyhow::Result<Vec<u8>> {
        let mut share = Share::Rest;
        loop {
            let output = self.run(component, share)?;
            if output.status.success() {
                return Ok(output.stdout);
            }
            match (output.status.code(), share.larger()) {
                (Some(compiler::STARVED), Some(larger)) => {
                    tracing::debug!(was = ?share, now = ?larger, "the compiler got too little of the processor and begins again");
                    share = larger;
                }
                _ => match String::from_utf8_lossy(&output.stderr).trim() {
                    "" => bail!("the compiler ended without a word: {}", output.status),
                    said => return Err(anyhow!("{said}")),
                },
            }
        }
    }

    fn run(&self, component: &[u8], share: Share) -> anyhow::Result<Output> {
        let (answer, started) = mpsc::channel();
        self.starter.send((share, answer)).context("nobody starts compilers any more")?;
        let started = started.recv().context("nobody starts compilers any more")?;
        let mut child = started.context("the compiler cannot be started")?;
        let input = child.stdin.take();
        let output = thread::scope(|scope| {
            // One that ends before it has read everything says why itself.
            scope.spawn(|| input.map(|mut input| input.write_all(component)));
            child.wait_with_output()
        });
        output.context("the compiler's answer cannot be read")
    }
}

fn start(share: Share, compile_time: Duration) -> io::Result<Child> {
    Command::new(this_program()?)
        .arg0("plaza")
        .args([COMMAND, "--share", share.name(), "--compile-time", &compile_time.as_secs().to_string()])
        // It needs none of what the host was told, secrets least of all.
        .env_clear()
        .env(THREADS, threads().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Half of the cores. Where there is a compiler on each, who serves has to wait until the scheduler takes one away, however much
/// that gives way; else it finds another core at once.
fn threads() -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    (cores / 2).max(1)
}

/// The file of this program; on Linux also when another has taken its place since this one began, as in an update.
fn this_program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok(PathBuf::from("/proc/self/exe")) } else { env::current_exe() }
}
