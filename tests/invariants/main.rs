//! Asks a running shop whether what must always hold does hold: a line for each invariant.
//!
//! Three of the nine hold at any moment; for the others it waits until nothing is under way. Exit code 0: all hold. 1: one is
//! broken, or something never came to an end. 2: it could not be asked, or the shop was too busy to be.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use plaza_tests::{databases::Databases, invariants};

/// Ask a running shop whether everything that must always hold does hold.
#[derive(Parser)]
#[command(
    name = "plaza-invariants",
    after_help = "Examples:
  plaza-invariants                                 the shop of `make up`
  plaza-invariants --state-dir /var/lib/shop       that of `plaza up --state-dir /var/lib/shop`
  plaza-invariants --database-url postgres://…     that of `plaza up --database-url postgres://…`
  plaza-invariants --kafka kafka-1:9092            with the dead letters on these brokers"
)]
struct Arguments {
    /// The state folder of the host that runs the shop
    #[arg(long, value_name = "FOLDER", default_value = ".plaza")]
    state_dir: PathBuf,

    /// The PostgreSQL server of the host that runs the shop, where it is not the embedded one
    #[arg(long, value_name = "URL", env = "PLAZA_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,

    /// The brokers of the shop's events, where it has any: its dead letters are there
    #[arg(long, value_name = "BROKERS", env = "PLAZA_KAFKA")]
    kafka: Option<String>,

    /// How long to wait until nothing is under way any more
    #[arg(long, value_name = "SECONDS", default_value_t = invariants::SETTLING.as_secs())]
    wait: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let databases = match &arguments.database_url {
        Some(url) => Databases::at(url),
        None => Databases::in_state(&arguments.state_dir),
    };
    let asked = match databases {
        Ok(databases) => {
            let patience = Duration::from_secs(arguments.wait);
            invariants::ask(&databases, arguments.kafka.as_deref(), patience).await
        }
        Err(unreachable) => Err(unreachable),
    };
    match asked {
        Ok(report) => {
            print!("{report}");
            match report.holds() {
                true => ExitCode::SUCCESS,
                false if report.is_broken() => ExitCode::from(1),
                false => ExitCode::from(2),
            }
        }
        Err(unreachable) => {
            eprintln!(
                "The shop's books cannot be read: {unreachable}. Is it running? (`make up`, or name its --state-dir)"
            );
            ExitCode::from(2)
        }
    }
}
