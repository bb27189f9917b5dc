//! What is taken from registries, and of what they hold.

use std::time::Duration;

/// Bytes of the list of an artifact's layers. The distribution specification has registries take so many.
pub const REGISTRY_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// Layers of an artifact that is pulled.
pub const REGISTRY_LAYERS: usize = 10_000;

/// Layers of an artifact that is pushed, without its locked application: some registries take no more than 500.
pub const REGISTRY_LAYERS_PUSHED: usize = 499;

/// Bytes of what an artifact says of its application.
pub const REGISTRY_LOCKED_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of one file of an artifact, or of several packed.
pub const REGISTRY_BLOB_BYTES: u64 = 512 * 1024 * 1024;

/// Bytes of all files of an artifact.
pub const REGISTRY_APPLICATION_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Files of an artifact, those among them that stand in its locked application or are packed.
pub const REGISTRY_FILES: usize = 50_000;

/// Bytes of all that is packed in an artifact, with what packing adds to its files.
pub const REGISTRY_UNPACKED_BYTES: u64 = REGISTRY_APPLICATION_BYTES + 4096 * REGISTRY_FILES as u64;

/// Bytes of what a registry of packages says of itself.
pub const REGISTRY_WELL_KNOWN_BYTES: usize = 64 * 1024;

/// Tags of a package that are asked for at once, to look for versions; a registry may send fewer.
pub const REGISTRY_TAGS_PAGE: usize = 1000;

/// Such answers in a row.
pub const REGISTRY_TAGS_PAGES: usize = 100;

/// Bytes of one of them.
pub const REGISTRY_TAGS_BYTES: u64 = 1024 * 1024;

/// Versions of a package that are told where none of them will do: the newest.
pub const REGISTRY_VERSIONS_TOLD: usize = 5;

/// How long a program may take that keeps the passwords of registries. It may ask somebody at the keyboard.
pub const REGISTRY_HELPER_TIME: Duration = Duration::from_secs(60);

/// Bytes of its answer.
pub const REGISTRY_HELPER_BYTES: u64 = 64 * 1024;

/// Bytes of a token server's answer.
pub const REGISTRY_TOKEN_BYTES: u64 = 64 * 1024;

/// How long a token holds of which its server does not say it, as the distribution's specification has it.
pub const REGISTRY_TOKEN_TIME: Duration = Duration::from_secs(60);

/// Bytes that are read of what a registry says beside a refusal.
pub const REGISTRY_REFUSAL_BYTES: usize = 16 * 1024;

/// Letters that are told of what somebody else's server says.
pub const REGISTRY_WORDS_LETTERS: usize = 400;

/// How often in a row one is led on to another address.
pub const REGISTRY_REDIRECTS: usize = 10;

/// Layers that are pulled at once.
pub const REGISTRY_TRANSFERS: usize = 4;

/// How long connecting to a registry may take.
pub const REGISTRY_CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long a registry may take for the next piece of its answer.
pub const REGISTRY_PAUSE: Duration = Duration::from_secs(60);
