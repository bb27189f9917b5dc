//! The account under which PostgreSQL runs: it refuses root.

use std::{
    fs,
    io::ErrorKind,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::unistd::{Gid, Uid, User};
use tokio::process::Command;

use super::{folder::StateFolder, programs::Programs};
use crate::database::DatabaseError;

/// Root runs the server under this account, which PostgreSQL's packages make.
const SERVER_ACCOUNT: &str = "postgres";

/// Variables that the server's programs get; others (`PGDATA`, `PGPORT` …) would change what they do.
const ENVIRONMENT: [&str; 3] = ["PATH", "TMPDIR", "LD_LIBRARY_PATH"];

/// Who runs the server.
pub(super) struct Account {
    /// `None` when it is the account of the host itself.
    other: Option<(Uid, Gid)>,
}

impl Account {
    /// The host's own account, or `postgres` when that is root.
    pub(super) fn choose() -> Result<Self, DatabaseError> {
        if !Uid::effective().is_root() {
            return Ok(Self { other: None });
        }
        match User::from_name(SERVER_ACCOUNT) {
            Ok(Some(user)) => Ok(Self { other: Some((user.uid, user.gid)) }),
            _ => Err(DatabaseError::AccountMissing { account: SERVER_ACCOUNT.to_owned() }),
        }
    }

    /// Its user id.
    pub(super) fn uid(&self) -> u32 {
        self.other.map_or(Uid::effective(), |(uid, _)| uid).as_raw()
    }

    /// Gives it a file or folder.
    pub(super) fn own(&self, path: &Path) -> Result<(), DatabaseError> {
        let Some((uid, gid)) = self.other else { return Ok(()) };
        std::os::unix::fs::lchown(path, Some(uid.as_raw()), Some(gid.as_raw()))
            .map_err(DatabaseError::file("give away", path))
    }

    /// A command that runs under it, away from the terminal and its Ctrl-C.
    pub(super) fn command(&self, program: impl AsRef<Path>, folder: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        // Messages are read for known faults, so they must be English.
        command.env("LC_ALL", "C").current_dir(folder).stdin(Stdio::null()).process_group(0);
        if let Some((uid, gid)) = self.other {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        command
    }

    /// Can it enter the state folder? The folder itself is opened to it if need be, others are not ours to open.
    pub(super) fn check_reach(&self, folder: &StateFolder, programs: &Programs) -> Result<(), DatabaseError> {
        if self.other.is_none() {
            return Ok(());
        }
        let path = folder.path();
        let metadata = fs::metadata(path).map_err(DatabaseError::file("read", path))?;
        if metadata.uid() == Uid::effective().as_raw() && metadata.mode() & 0o001 == 0 {
            let mode = fs::Permissions::from_mode(metadata.mode() | 0o001);
            fs::set_permissions(path, mode).map_err(DatabaseError::file("open a way through", path))?;
        }
        let mut probe = self.command(programs.postgres(), path);
        match probe.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).as_std_mut().status() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(self.unreachable(path, programs)),
            Err(error) => Err(DatabaseError::file("run", programs.postgres())(error)),
            Ok(_) => Ok(()),
        }
    }

    /// Names the outermost folder that is closed to the account, on the way to the state folder or to the programs.
    fn unreachable(&self, state: &Path, programs: &Programs) -> DatabaseError {
        let account = SERVER_ACCOUNT.to_owned();
        match (self.first_closed(state), self.first_closed(programs.folder())) {
            (None, Some(blocked_at)) => {
                DatabaseError::Unreachable { account, blocked_at, remedy: "--postgres-dir /opt/plaza-postgresql" }
            }
            (closed, _) => {
                let blocked_at = closed.unwrap_or_else(|| state.to_owned());
                DatabaseError::Unreachable { account, blocked_at, remedy: "--state-dir /var/lib/plaza" }
            }
        }
    }

    /// The outermost folder on the way to `path` that its permissions close to the account.
    fn first_closed(&self, path: &Path) -> Option<PathBuf> {
        let mut ancestors: Vec<&Path> = path.ancestors().collect();
        ancestors.reverse();
        ancestors.into_iter().find(|folder| !self.may_enter(folder)).map(Path::to_owned)
    }

    fn may_enter(&self, folder: &Path) -> bool {
        let (Some((uid, gid)), Ok(metadata)) = (self.other, fs::metadata(folder)) else {
            return true;
        };
        let bit = match metadata {
            _ if metadata.uid() == uid.as_raw() => 0o100,
            _ if metadata.gid() == gid.as_raw() => 0o010,
            _ => 0o001,
        };
        metadata.mode() & bit != 0
    }
}
