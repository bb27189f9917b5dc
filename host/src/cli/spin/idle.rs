//! Flags of `spin up` that are taken and mean nothing here.

use clap::Args;

/// These flags.
#[derive(Debug, Args)]
pub(super) struct Idle {
    /// Taken for Spin's sake: what is compiled is kept in the folder of --state-dir
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<String>,

    /// Taken for Spin's sake: nothing is unpacked into another folder
    #[arg(long, alias = "tmp", value_name = "FOLDER")]
    temp: Option<String>,

    /// Taken for Spin's sake: --instances says how many there is memory for
    #[arg(long)]
    disable_pooling: bool,
}

impl Idle {
    /// Says of those that are there that they mean nothing.
    pub(super) fn warn(&self) {
        let disk = "what is compiled is kept in the folder of --state-dir, and nothing else is";
        let given = [
            ("--cache-dir", self.cache_dir.is_some(), disk),
            ("--temp", self.temp.is_some(), disk),
            ("--disable-pooling", self.disable_pooling, "--instances says how many there is memory for"),
        ];
        for (flag, _, instead) in given.into_iter().filter(|(_, is_there, _)| *is_there) {
            tracing::warn!("{flag} means nothing here: {instead}");
        }
    }
}
