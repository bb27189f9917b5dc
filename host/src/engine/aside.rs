//! Compiling while a host serves: in a process of its own, which gives way to it.
//!
//! A compiler takes every core it is given for seconds, hundreds of megabytes, and the locks of the memory that it shares with those
//! who serve. In another process it takes what they leave, on half of the cores; its memory is gone with it, and one that goes on
//! for too long can be ended.

use std::{
    env,
    io::{self, Read, Write},
    num::NonZero,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{self, Command, Stdio},
    thread,
};

use anyhow::{Context, anyhow, bail};

use crate::{
    cores::give_way,
    limits::{COMPILE_TIME, HostLimits},
};

/// The command of this program that compiles.
pub const COMMAND: &str = "compile";

/// How much it gives way.
const NICENESS: i32 = 10;

/// By which the compiler's threads, which are rayon's, are counted.
const THREADS: &str = "RAYON_NUM_THREADS";

/// Compiles a component with this program's command, and waits for it.
pub(super) fn compile(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let program = this_program().context("this program cannot be found to compile with")?;
    let mut child = Command::new(program)
        .arg0("plaza")
        .arg(COMMAND)
        // It needs none of what the host was told, secrets least of all.
        .env_clear()
        .env(THREADS, threads().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the compiler cannot be started")?;
    let input = child.stdin.take();
    let output = thread::scope(|scope| {
        // One that ends before it has read everything says why itself.
        scope.spawn(|| input.map(|mut input| input.write_all(component)));
        child.wait_with_output()
    });
    let output = output.context("the compiler's answer cannot be read")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    match String::from_utf8_lossy(&output.stderr).trim() {
        "" => bail!("the compiler ended without a word: {}", output.status),
        said => Err(anyhow!("{said}")),
    }
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

/// Compiles the component on the standard input to the standard output: what the command does.
///
/// # Errors
/// What the compiler says of the component.
pub fn compile_input() -> anyhow::Result<()> {
    give_way(NICENESS);
    end_with_parent();
    thread::spawn(|| {
        thread::sleep(COMPILE_TIME);
        eprintln!("it took longer than {} s", COMPILE_TIME.as_secs());
        process::exit(1);
    });
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component)?;
    // Nothing is instantiated here.
    let limits = HostLimits { total_instances: 1, ..HostLimits::default() };
    let engine = wasmtime::Engine::new(&super::config(&limits))?;
    let compiled = engine.precompile_component(&component)?;
    io::stdout().write_all(&compiled)?;
    Ok(())
}

/// Nobody is left to want what is compiled once the host is gone.
fn end_with_parent() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        tracing::debug!(%error, "this compiler goes on when its host ends");
    }
}
