//! Why files cannot be shown.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a component's files cannot be shown to it.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A pattern is not one.
    #[error("{pattern:?} is no file pattern: {source}. Use *, ** and ?, as in \"assets/**/*\"")]
    Pattern {
        /// As the manifest has it.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A path leads out of the manifest's folder.
    #[error(
        "files pattern {0:?} leads out of the manifest's folder; place the folder with source and destination instead"
    )]
    Outside(String),
    /// A file or folder is not there.
    #[error("files source {} is not there; create it, or correct `source` in the manifest", .0.display())]
    Missing(PathBuf),
    /// A file without a name of its own in the guest.
    #[error("files source {} is a file, and its `destination` names none; write one such as \"/a.txt\"", .0.display())]
    Nameless(PathBuf),
    /// A symbolic link leads out of what the component is granted.
    #[error("{} is a symbolic link to {}, outside of the component's files; copy the file, or add the link to exclude_files", link.display(), target.display())]
    Escape {
        /// The link.
        link: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The system refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// Says what was being done to `path` when the system refused.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Io { doing, path, source }
}
