//! Files in the form in which the component carries them.

use std::{error::Error, fmt::Write as _, fs, io::Write as _, path::Path};

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};

/// The files so far.
#[derive(Default)]
pub struct Files {
    list: Vec<File>,
}

struct File {
    path: String,
    content_type: String,
    tag: String,
    compressed: Vec<u8>,
    bytes: usize,
}

impl Files {
    /// Adds the file that is served at `path`, and returns its tag.
    pub fn add(&mut self, path: &str, content_type: &str, content: &[u8]) -> Result<String, Box<dyn Error>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(content)?;
        let digest = Sha256::digest(content);
        let tag = digest.iter().take(8).fold(String::new(), |mut tag, byte| {
            _ = write!(tag, "{byte:02x}");
            tag
        });
        self.list.push(File {
            path: path.to_owned(),
            content_type: content_type.to_owned(),
            tag: tag.clone(),
            compressed: encoder.finish()?,
            bytes: content.len(),
        });
        Ok(tag)
    }

    /// Writes them into this folder, with the Rust text that takes them in.
    pub fn write(&self, folder: &Path) -> Result<(), Box<dyn Error>> {
        let mut text = String::from("&[\n");
        for (number, file) in self.list.iter().enumerate() {
            let name = format!("{number}.gz");
            fs::write(folder.join(&name), &file.compressed)?;
            let File { path, content_type, tag, bytes, .. } = file;
            writeln!(
                text,
                "File {{ path: {path:?}, content_type: {content_type:?}, tag: {tag:?}, bytes: {bytes}, \
                 compressed: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\")) }},"
            )?;
        }
        text.push(']');
        Ok(fs::write(folder.join("files.rs"), text)?)
    }
}
