//! `plaza check`: every fault of a manifest and its components, in one go.
/// stub
#[derive(Debug, clap::Args)] pub struct Check {}
impl Check { pub(super) fn run(self) -> anyhow::Result<std::process::ExitCode> { Ok(std::process::ExitCode::SUCCESS) } }
