//! Begins an answer with `first` and does not end it as it should, `?ms=N` later: `/panic` panics, `/loop` computes for
//! ever, `/sleep` holds its instance for an hour, `/silent` waits for one, `/endless` writes on every N milliseconds.
//! `/ticks?ms=N` does so ten times only and then ends as it should, `/ok` at once; so does `/afterwards`, and then computes.

#![cfg(target_family = "wasm")]

use std::{hint::black_box, time::Duration};

use futures::{SinkExt, channel::mpsc::Sender};
use spin_sdk::{
    http::{IntoResponse, Request, StatusCode, body},
    http_service, time, wasip3,
};

const HOUR: Duration = Duration::from_secs(3600);

#[http_service]
async fn handle(request: Request) -> anyhow::Result<impl IntoResponse> {
    let query = request.uri().query().unwrap_or_default();
    let wait = Duration::from_millis(query.strip_prefix("ms=").unwrap_or("0").parse()?);
    let ending = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let (sender, body) = body::stream::<String>();
    wasip3::spawn(async move { _ = write(sender, &ending, wait).await });
    Ok((StatusCode::OK, body))
}

async fn write(
    mut sender: Sender<String>,
    ending: &str,
    wait: Duration,
) -> Result<(), futures::channel::mpsc::SendError> {
    sender.send("first\n".to_owned()).await?;
    if !wait.is_zero() {
        time::sleep(wait).await;
    }
    // Tells a test that waits for it.
    eprintln!("{ending} begins");
    match ending {
        "panic" => panic!("the test asked for a panic in the middle of an answer"),
        "loop" => compute(),
        "afterwards" => {
            drop(sender);
            // For the answer's end to be passed on.
            time::sleep(Duration::from_millis(1)).await;
            eprintln!("{ending} computes");
            compute();
        }
        "sleep" => std::thread::sleep(HOUR),
        "silent" => time::sleep(HOUR).await,
        "endless" => loop {
            sender.send("more and more of it\n".to_owned()).await?;
            time::sleep(wait).await;
        },
        "ticks" => {
            for tick in 0..10 {
                sender.send(format!("tick {tick}\n")).await?;
                time::sleep(wait).await;
            }
        }
        _ => {}
    }
    Ok(())
}

fn compute() {
    let mut turns = 0_u64;
    while black_box(turns) < u64::MAX {
        turns += 1;
    }
}
