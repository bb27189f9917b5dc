//! Takes `?mib=N` MiB of memory, without `mib` all it can get, and answers how much it got.

use std::hint::black_box;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let wanted = query.strip_prefix("mib=").unwrap_or("100000").parse()?;
    let taken: Vec<Vec<u8>> = (0..wanted).map(|_| black_box(vec![1; 1024 * 1024])).collect();
    Ok(format!("{} MiB", taken.len()))
}
