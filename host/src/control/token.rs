//! The secret that opens the admin port.

use std::{fs::OpenOptions, io::Write, net::SocketAddr, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::Context;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The name of the file in the state folder that holds address and token.
pub const FILE: &str = "control.json";

/// What stands in that file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ControlFile {
    /// `http://host:port`.
    pub address: String,
    /// The token to show.
    pub token: String,
}

/// A token, of which only the hash is kept: comparing hashes tells nothing about how much of a guess was right.
pub struct Token([u8; 32]);

impl Token {
    /// Whether this is the token.
    pub fn matches(&self, shown: &str) -> bool {
        Sha256::digest(shown.as_bytes()).as_slice() == self.0
    }
}

/// Makes a token for this run and writes it, with the address, into `control.json`, which its owner alone can read.
///
/// # Errors
/// When the file cannot be written.
pub fn keep(state_dir: &Path, address: SocketAddr) -> anyhow::Result<Token> {
    let text = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let file = state_dir.join(FILE);
    let draft = state_dir.join(format!("{FILE}.draft"));
    _ = std::fs::remove_file(&draft);
    let content = serde_json::to_string(&ControlFile { address: format!("http://{address}"), token: text.clone() })?;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut draft| draft.write_all(content.as_bytes()))
        .and_then(|()| std::fs::rename(&draft, &file))
        .with_context(|| format!("cannot write {}; is the disk full?", file.display()))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(&Sha256::digest(text.as_bytes()));
    Ok(Token(hash))
}
