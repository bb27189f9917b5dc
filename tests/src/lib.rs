//! The harness of the black-box tests: it starts the real `plaza`, speaks HTTP to it, and looks into its databases.
//!
//! Nothing here knows the host's inside. What a user has — the binary, its output, its state folder, its ports — is what
//! the tests have.

pub mod answer;
pub mod artifact;
pub mod blow;
pub mod broker;
pub mod cable;
pub mod client;
pub mod compiled;
pub mod containerfile;
pub mod databases;
pub mod disk;
pub mod docker_registry;
pub mod guard;
pub mod halves;
pub mod hold;
pub mod host;
pub mod invariants;
pub mod kafka;
pub mod letters;
pub mod manifest;
pub mod operator;
pub mod output;
pub mod patient;
pub mod python;
pub mod readme;
pub mod redis_server;
pub mod sandbox;
pub mod secrets;
pub mod setup;
pub mod shop;
pub mod spin;
pub mod state;
pub mod stripe;
pub mod token;
pub mod told;
pub mod trace;
pub mod wait;
pub mod wire;

pub use answer::Answer;
pub use client::Client;
pub use host::Host;
pub use setup::{Setup, workspace};
pub use shop::Shop;
pub use wait::{until, until_within};
