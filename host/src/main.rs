//! `plaza`: serves an application of WebAssembly components.

use std::process::ExitCode;

use clap::Parser;
use plaza::{capability::postgres::FOREIGN_VARIABLES, cli::Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    forget_libpq();
    match Command::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("plaza: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Connections are made as their addresses say: what libpq's variables add is the person's who started this program, and
/// must not travel along with a component's connection.
#[expect(unsafe_code, reason = "changing the environment is safe while there is one thread")]
fn forget_libpq() {
    for name in FOREIGN_VARIABLES {
        // SAFETY: this is called first of all in `main`, where no other thread runs that could read the environment.
        unsafe { std::env::remove_var(name) };
    }
}
