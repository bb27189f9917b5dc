//! `plaza compile`: what a host runs to compile a component beside its work.

use std::{process::ExitCode, time::Duration};

use crate::engine::aside::{Share, compile_input};

/// The options of `plaza compile`. A host runs it for itself.
#[derive(Debug, clap::Args)]
pub struct Compile {
    /// What to take of the processor beside those who serve
    #[arg(long, value_enum)]
    share: Share,

    /// Seconds of processor time that it may take
    #[arg(long)]
    compile_time: u64,
}

impl Compile {
    /// Compiles the component on the standard input to the standard output, and says on the standard error why not.
    pub fn run(&self) -> ExitCode {
        match compile_input(self.share, Duration::from_secs(self.compile_time)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error:#}");
                ExitCode::FAILURE
            }
        }
    }
}
