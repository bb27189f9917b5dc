//! The native program that the figures stand beside: the shop's product and order as one axum and sqlx program.
//!
//! It checks tokens, keys and stock as the shop does and writes the same rows, in one database and without a sandbox.

use std::{future::IntoFuture, time::Duration};

use axum::{
    Router,
    extract::{Query, State},
    routing::{get, post},
};
use ed25519_dalek::VerifyingKey;
use serde_json::Value;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::sync::{mpsc, oneshot};

use crate::token;

mod order;
mod product;

/// Connections to the database, as many as a component of the host gets.
const CONNECTIONS: u32 = 16;

/// What every handler has at hand.
#[derive(Clone)]
struct Peer {
    pool: PgPool,
    key: VerifyingKey,
    echo: mpsc::Sender<(String, oneshot::Sender<String>)>,
}

/// Serves until it is ended, on the database that the arguments name.
pub fn run(arguments: Vec<String>) {
    let database_url = arguments.first().expect("plaza-bench peer <database address>");
    crate::runtime().block_on(serve(database_url));
}

async fn serve(database_url: &str) {
    let pool = connect(database_url).await;
    sqlx::raw_sql(include_str!("schema.sql")).execute(&pool).await.expect("the schema is sound");
    let peer = Peer { pool, key: token::public_key(), echo: echo() };
    let routes = Router::new()
        .route("/hello", get(async || "hello"))
        .route("/calls", get(calls))
        .route("/api/v1/products/{id}", get(product::read))
        .route("/api/v1/orders", post(order::place))
        .with_state(peer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("http://{}", listener.local_addr().expect("its address"));
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, routes).into_future().await.expect("it serves");
}

/// Connects as soon as the server accepts connections.
async fn connect(database_url: &str) -> PgPool {
    loop {
        match PgPoolOptions::new().max_connections(CONNECTIONS).connect(database_url).await {
            Ok(pool) => return pool,
            Err(_) => tokio::time::sleep(Duration::from_millis(2)).await,
        }
    }
}

/// A task that sends back what it is sent: what a call to somebody who owns his own state costs without WebAssembly.
fn echo() -> mpsc::Sender<(String, oneshot::Sender<String>)> {
    let (sender, mut receiver) = mpsc::channel::<(String, oneshot::Sender<String>)>(64);
    tokio::spawn(async move {
        while let Some((text, answer)) = receiver.recv().await {
            let _ = answer.send(text);
        }
    });
    sender
}

async fn calls(State(peer): State<Peer>, Query(query): Query<Value>) -> String {
    let count: u64 = query["count"].as_str().and_then(|count| count.parse().ok()).unwrap_or(0);
    for number in 0..count {
        let (answer, echoed) = oneshot::channel();
        peer.echo.send((number.to_string(), answer)).await.expect("the task lives");
        assert_eq!(echoed.await.expect("it answers"), number.to_string());
    }
    format!("{count} calls")
}
