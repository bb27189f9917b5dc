//! The harness of the black-box tests: it starts the real `plaza`, speaks HTTP to it, and looks into its databases.
//!
//! Nothing here knows the host's inside. What a user has — the binary, its output, its state folder, its ports — is what
//! the tests have.

pub mod answer;
pub mod client;
pub mod databases;
pub mod disk;
pub mod host;
pub mod invariants;
pub mod output;
pub mod setup;
pub mod shop;
pub mod state;
pub mod wait;
pub mod wire;

pub use answer::Answer;
pub use client::Client;
pub use host::Host;
pub use setup::Setup;
pub use shop::Shop;
pub use wait::until;
