//! Prints `?mib=N` MiB, 1 by default: `/lines` in lines, `/line` in one line that never ends, `/empty` in empty lines.

use std::io::Write;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let mib: usize = query.strip_prefix("mib=").unwrap_or("1").parse()?;
    let piece: &[u8] = match request.uri().path().rsplit('/').next() {
        Some("line") => &[b'x'; 1024],
        Some("empty") => &[b'\n'; 1024],
        _ => b"the quick brown fox jumps over the lazy dog and over the lazy dog again, and again, until it is told\n",
    };
    let mut output = std::io::stdout().lock();
    for _ in 0..mib * 1024 * 1024 / piece.len() {
        output.write_all(piece)?;
    }
    Ok(format!("printed {mib} MiB"))
}
