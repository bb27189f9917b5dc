//! Computes for ever.

use std::hint::black_box;

use spin_sdk::{
    http::{IntoResponse, Request},
    http_service,
};

#[http_service]
async fn handle(_request: Request) -> anyhow::Result<impl IntoResponse> {
    let mut turns = 0_u64;
    while black_box(turns) < u64::MAX {
        turns += 1;
    }
    Ok("done")
}
