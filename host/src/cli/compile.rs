//! `plaza compile`: what a host runs to compile a component beside its work.

use std::process::ExitCode;

use crate::engine::aside;

/// The options of `plaza compile`: none. A host runs it for itself.
#[derive(Debug, clap::Args)]
pub struct Compile {}

impl Compile {
    /// Compiles the component on the standard input to the standard output, and says on the standard error why not.
    pub fn run(&self) -> ExitCode {
        match aside::compile_input() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }
}
