//! Why an application cannot be pushed or pulled, and what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::locked::Unservable;
use crate::{capability::files::FilesError, limits::REGISTRY_WORDS_LETTERS};

/// What went wrong, with its remedy.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// What names no place in a registry.
    #[error(
        "{text:?} names nothing in a registry: {cause}; write it as registry/repository:tag, such as ghcr.io/somebody/app:1.0"
    )]
    Reference {
        /// As it was given.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// What is no registry by itself.
    #[error("{text:?} names no registry: {remedy}")]
    Host {
        /// As it was given.
        text: String,
        /// How it is written.
        remedy: String,
    },
    /// Nobody answers.
    #[error("{registry} does not answer: {cause}; look at its name and whether it runs")]
    Away {
        /// Who was asked.
        registry: String,
        /// The system's word.
        cause: String,
    },
    /// Somebody answers, but not over TLS as it must be.
    #[error(
        "no TLS with {registry}: {cause}; if it speaks plain HTTP, and is on this machine or the registry that the command names, say --insecure"
    )]
    NoTls {
        /// Who was asked.
        registry: String,
        /// Why not.
        cause: String,
    },
    /// There is nobody whose word on a registry's certificate could be taken.
    #[error(
        "this machine trusts no certificate authority: install the package ca-certificates, or name a file of them in SSL_CERT_FILE"
    )]
    NoAuthorities,
    /// A password is missing or wrong.
    #[error(
        "{registry} lets nobody do this without the right password; log in with `plaza registry login {registry}`{}",
        helper.as_ref().map_or_else(String::new, |why| format!(", since {}", foreign(why)))
    )]
    Unauthorised {
        /// Who was asked.
        registry: String,
        /// Why the program did not help that has the passwords.
        helper: Option<String>,
    },
    /// There is no password to be right or wrong.
    #[error("{registry} asks for no password, so nothing is kept; use it without one")]
    NoPassword {
        /// Who was asked.
        registry: String,
    },
    /// There is no such thing.
    #[error("there is no {what} in {registry}; look at the name and the tag")]
    Absent {
        /// What was asked for.
        what: String,
        /// Who was asked.
        registry: String,
    },
    /// Another answer than there should be.
    #[error("{registry} refuses: {}; try again later, or ask whoever runs it", foreign(cause))]
    Refused {
        /// Who was asked.
        registry: String,
        /// Its words.
        cause: String,
    },
    /// It stopped in the middle.
    #[error("{registry} broke off: {cause}; try again, what has come is kept")]
    BrokenOff {
        /// Who was asked.
        registry: String,
        /// The system's word.
        cause: String,
    },
    /// Something came that is not what was asked for.
    #[error(
        "what came for {expected} has the digest {found}, so it was changed on the way or in the registry, and is not used; push it anew"
    )]
    Changed {
        /// The digest that was asked for.
        expected: String,
        /// That of what came.
        found: String,
    },
    /// A file is not the one that a manifest names.
    #[error(
        "what came from {url} has the digest {found}, not {expected}; look at what it is now, and change the manifest if that is meant"
    )]
    OtherFile {
        /// From where.
        url: String,
        /// The digest in the manifest.
        expected: String,
        /// That of what came.
        found: String,
    },
    /// A package is not the one that was fetched before.
    #[error(
        "{package} has the digest {found} now, and had {expected} when it was first fetched; if that is meant, remove {}",
        file.display()
    )]
    OtherPackage {
        /// Its name, version and registry.
        package: String,
        /// The digest that it had.
        expected: String,
        /// That of what came.
        found: String,
        /// Where the first digest is kept.
        file: PathBuf,
    },
    /// Nobody has said in which registry a package is.
    #[error(
        "no registry is known for `{package}`; add `registry = \"…\"` to it, or name one for its namespace{}",
        file.as_ref().map_or_else(String::new, |file| format!(" in {}", file.display()))
    )]
    NoRegistry {
        /// Its name.
        package: String,
        /// Where this user's settings for packages stand.
        file: Option<PathBuf>,
    },
    /// Packages that are not in an OCI registry.
    #[error("{registry} is a registry of the kind {kind:?}, of which nothing is fetched; name one of the kind \"oci\"")]
    OtherKind {
        /// As the settings call it.
        registry: String,
        /// What they say of it.
        kind: String,
    },
    /// Settings for packages that cannot be read.
    #[error("{} cannot be read: {cause}; mend or remove it", file.display())]
    PackageSettings {
        /// Where they stand.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// No version of a package will do.
    #[error(
        "no version of `{package}` in {registry} fits {versions}, of which the newest are: {}; change the version in the manifest",
        foreign(there)
    )]
    NoVersion {
        /// Its name.
        package: String,
        /// What the manifest asks for.
        versions: String,
        /// Who was asked.
        registry: String,
        /// Those that there are.
        there: String,
    },
    /// No component is there.
    #[error("{reference} is no component: {}; look at the package's name and version", foreign(why))]
    NoComponent {
        /// What was asked for.
        reference: String,
        /// What is there.
        why: String,
    },
    /// Something else is there.
    #[error("{reference} is no application for Spin or Plaza: {}; look at the name and the tag", foreign(why))]
    NoApplication {
        /// What was asked for.
        reference: String,
        /// What is there.
        why: String,
    },
    /// It cannot be served here.
    #[error("{reference} cannot be served: {why}")]
    Unservable {
        /// What was asked for.
        reference: String,
        /// Why not.
        why: Unservable,
    },
    /// It is more than is taken.
    #[error("{what} has {found}, and at most {most} are taken; make it smaller")]
    TooMuch {
        /// Of what.
        what: String,
        /// How much there is, with its unit.
        found: String,
        /// The bound.
        most: String,
    },
    /// What is no digest cannot be the name of anything that is kept.
    #[error("{0:?} is no digest: `sha256:` and 64 digits, 0 to 9 and a to f")]
    Digest(String),
    /// A folder that would be missing where the artifact is served.
    #[error("{} is a link to a folder, which an artifact cannot hold; put the folder itself in its place", .0.display())]
    Link(PathBuf),
    /// A component's files cannot be found.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The system refused.
    #[error("cannot {doing} {}: {source}{}", path.display(), if source.kind() == io::ErrorKind::StorageFull { "; make room on the disk" } else { "" })]
    File {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A name that has no place in an artifact.
    #[error("{} has a name that is no UTF-8; give it another", .0.display())]
    Name(PathBuf),
    /// What is kept of passwords cannot be read.
    #[error("{} holds no passwords of registries that can be read: {cause}; mend or remove it", file.display())]
    Credentials {
        /// Where they are.
        file: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// There is no folder for them.
    #[error("there is no folder to keep the password in: set HOME, or name a file in REGISTRY_AUTH_FILE")]
    NoHome,
}

/// Says what was being done to `path` when the system refused.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RegistryError {
    let path = path.to_owned();
    move |source| RegistryError::File { doing, path, source }
}

/// What somebody else's server says, short, and without what would move a terminal.
pub(super) fn foreign(words: &str) -> String {
    let moves = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    words.chars().filter(|letter| !moves(*letter)).take(REGISTRY_WORDS_LETTERS).collect()
}
